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

WIDTHS = (16, 48, 96)
CLASSES = ("C", "Si", "background")
STRIDE_PX = 8
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

    def __init__(self, widths: tuple[int, int, int] = WIDTHS) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.fold = nn.PixelUnshuffle(2)  # (B, 4, H/2, W/2)
        self.down1 = _pair(4, fine)
        self.down2 = _pair(fine, middle)
        self.bottom = _pair(middle, coarse)
        self.lift2 = nn.Conv2d(coarse, middle, 1)
        self.up2 = _pair(middle, middle)
        self.lift1 = nn.Conv2d(middle, fine, 1)
        self.up1 = _pair(fine, fine)
        self.head = nn.Conv2d(fine, 4 * len(CLASSES), 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")
        self.unfold = nn.PixelShuffle(2)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the classes."""
        level1 = self.down1(self.fold(image))  # (B, 16, H/2, W/2)
        level2 = self.down2(self.pool(level1))  # (B, 48, H/4, W/4)
        level3 = self.bottom(self.pool(level2))  # (B, 96, H/8, W/8)
        level2 = self.up2(level2 + self.grow(self.lift2(level3)))
        level1 = self.up1(level1 + self.grow(self.lift1(level2)))
        logits: Tensor = self.unfold(self.head(level1))
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
