"""The segmentation network: a compact U-Net that works at half the image's resolution.

Conv-BN-ReLU throughout, so that batch normalisation folds into the convolutions when
it is exported; skips are added, not concatenated; the head gives four pixels per
position and three classes for each (C, Si, background).

References
----------
Ronneberger et al., MICCAI 2015 (U-Net); Shi et al., CVPR 2016 (sub-pixel head).
"""

import torch
from torch import Tensor, nn

WIDTHS = (16, 32, 64, 96)
"""Multiples of 16, the block in which ONNX Runtime keeps channels on a CPU."""
CLASSES = ("C", "Si", "background")
STRIDE_PX = 2 ** len(WIDTHS)
"""Sides of the input must be multiples of this."""


def _conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_conv(inputs, outputs), _conv(outputs, outputs))


class Dcnn(nn.Module):
    """Normalised image (B, 1, H, W) → logits (B, 3, H, W)."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.fold = nn.PixelUnshuffle(2)  # (B, 4, H/2, W/2)
        finer = (4, *widths[:-1])
        self.down = nn.ModuleList(
            _pair(inputs, outputs)
            for inputs, outputs in zip(finer, widths, strict=True)
        )
        upward = list(zip(widths[1:], widths[:-1], strict=True))
        self.lift = nn.ModuleList(nn.Conv2d(wide, fine, 1) for wide, fine in upward)
        # At the finest two levels a second convolution would cost most and give least.
        self.up = nn.ModuleList(
            _pair(fine, fine) if fine == widths[-2] else _conv(fine, fine)
            for _, fine in upward
        )
        self.head = nn.Conv2d(widths[0], 4 * len(CLASSES), 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")
        self.unfold = nn.PixelShuffle(2)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the classes."""
        level = self.down[0](self.fold(image))  # (B, 16, H/2, W/2)
        levels = []
        for down in list(self.down)[1:]:
            levels.append(level)
            level = down(self.pool(level))  # (B, 96, H/16, W/16) at last
        for lift, up in reversed(list(zip(self.lift, self.up, strict=True))):
            level = up(levels.pop() + self.grow(lift(level)))
        logits: Tensor = self.unfold(self.head(level))
        return logits


class Maps(nn.Module):
    """The network as it serves: (B, 1, H, W) → p(C), p(Si), each (B, H, W)."""

    def __init__(self, network: Dcnn) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities of the two species; what is left is background."""
        logits = self.network(image)
        # Relative to the background: one exp a species instead of a softmax over
        # the channel axis, which costs ONNX Runtime more than the network itself.
        carbon = torch.exp(torch.clamp(logits[:, 0] - logits[:, 2], max=40.0))
        silicon = torch.exp(torch.clamp(logits[:, 1] - logits[:, 2], max=40.0))
        total = 1.0 + carbon + silicon
        return carbon / total, silicon / total
