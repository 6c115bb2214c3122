"""AtomAI's Unet, rebuilt to hold its weights under their own names.

Convolution, leaky ReLU, batch normalisation, in that order; three poolings; skips are
concatenated before what comes up. How many convolutions a block has, and whether they
are normalised or dilated, is read from the names of the weights.

References
----------
github.com/pycroscopy/atomai, of which this follows the architecture, not the code.
"""

import re
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.training.atomai.networks import MISFIT, SavedUnet, Weights, shape_of
from inference.training.atomai.rebuild import filled
from streamer.errors import ModelError

STRIDE_PX = 8
"""Sides of the input must be multiples of this."""
MAX_CLASSES = 3
DILATED = "bn.atrous_module"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the layers of one block follow each other."""

    layers: int
    batch_norm: bool
    dropout: bool | None
    """Does nothing when the network serves, but takes a place; None if the places of
    the weights do not tell."""


def layout_of(weights: Weights, block: str) -> Layout:
    """The layout of a block, from the places of its weights.

    Raises
    ------
    ModelError
        There is no such block.
    """
    pattern = re.compile(re.escape(block) + r"\.(\d{1,3})\.weight")
    places = {
        int(match[1]): weights[match[0]].ndim
        for match in map(pattern.fullmatch, weights)
        if match
    }
    convolutions = sorted(place for place, axes in places.items() if axes == 4)
    norms = sorted(place for place, axes in places.items() if axes == 1)
    if not convolutions:
        raise ModelError(f"{MISFIT}: a Unet without {block}")
    # Behind a convolution: dropout if any, the activation, batch normalisation if any.
    after = norms + convolutions[1:]
    dropout = after[0] - convolutions[0] == 3 if after else None
    return Layout(len(convolutions), bool(norms), dropout)


class Block(nn.Module):
    """Convolutions of 3 x 3, one after the other."""

    def __init__(self, inputs: int, outputs: int, layout: Layout) -> None:
        super().__init__()
        self.block = nn.Sequential(*_layers(inputs, outputs, layout, dilate=False))

    def forward(self, image: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H, W)."""
        result: Tensor = self.block(image)
        return result


class DilatedBlock(nn.Module):
    """Ever wider convolutions; what every single layer gives is summed.

    Dropout, which hands on what it is given, counts as a layer in that sum.
    """

    def __init__(self, inputs: int, outputs: int, layout: Layout) -> None:
        super().__init__()
        self.atrous_module = nn.ModuleList(
            _layers(inputs, outputs, layout, dilate=True)
        )

    def forward(self, image: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H, W)."""
        given = []
        for layer in self.atrous_module:
            image = layer(image)
            given.append(image)
        return torch.stack(given).sum(dim=0)


class Upsampled(nn.Module):
    """Twice as large, with fewer channels."""

    def __init__(self, inputs: int, outputs: int, mode: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1)
        self.mode = mode

    def forward(self, image: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, 2H, 2W)."""
        larger = functional.interpolate(image, scale_factor=2, mode=self.mode)
        result: Tensor = self.conv(larger)
        return result


class Unet(nn.Module):
    """Image from 0 to 1 (B, 1, H, W) → logits (B, classes, H, W)."""

    def __init__(self, saved: SavedUnet) -> None:
        super().__init__()
        weights, mode = saved.weights, saved.upsampling
        width = shape_of(weights, "c1.block.0.weight", 4)[0]
        layouts = {f"c{n}": layout_of(weights, f"c{n}.block") for n in range(1, 7)}
        self.c1 = Block(1, width, layouts["c1"])
        self.c2 = Block(width, 2 * width, layouts["c2"])
        self.c3 = Block(2 * width, 4 * width, layouts["c3"])
        self.bn = _bottleneck(saved, width)
        self.upsample_block1 = Upsampled(8 * width, 4 * width, mode)
        self.c4 = Block(8 * width, 4 * width, layouts["c4"])
        self.upsample_block2 = Upsampled(4 * width, 2 * width, mode)
        self.c5 = Block(4 * width, 2 * width, layouts["c5"])
        self.upsample_block3 = Upsampled(2 * width, width, mode)
        self.c6 = Block(2 * width, width, layouts["c6"])
        self.px = nn.Conv2d(width, saved.classes, 1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the classes."""
        level1 = self.c1(image)  # (B, n, H, W)
        level2 = self.c2(self.pool(level1))  # (B, 2n, H/2, W/2)
        level3 = self.c3(self.pool(level2))  # (B, 4n, H/4, W/4)
        bottom = self.bn(self.pool(level3))  # (B, 8n, H/8, W/8)
        up3 = self.c4(torch.cat([level3, self.upsample_block1(bottom)], dim=1))
        up2 = self.c5(torch.cat([level2, self.upsample_block2(up3)], dim=1))
        up1 = self.c6(torch.cat([level1, self.upsample_block3(up2)], dim=1))
        logits: Tensor = self.px(up1)
        return logits


def reach_px(saved: SavedUnet) -> int:
    """How far from an output, along either axis, an input still decides about it."""
    weights = saved.weights
    levels = {"c1": 1, "c2": 2, "c3": 4, "c4": 4, "c5": 2, "c6": 1}
    pixels = sum(
        layout_of(weights, f"{name}.block").layers * pixel
        for name, pixel in levels.items()
    )
    if any(name.startswith(DILATED) for name in weights):
        layers = _dilated_layout(saved).layers
        pixels += 8 * layers * (layers + 1)  # 2, 4, 6 … of the pixels there
    else:
        pixels += 8 * layout_of(weights, "bn.block").layers
    # What is pooled reaches 1, 2, 4 pixels further, what is interpolated one there.
    return pixels + 1 + 2 + 4 + 2 + 4 + 8


class ServedUnet(nn.Module):
    """The network as it serves: (B, 1, H, W) → p(C), p(Si), each (B, H, W)."""

    def __init__(self, saved: SavedUnet) -> None:
        super().__init__()
        if saved.classes > MAX_CLASSES:
            raise ModelError(
                f"found a Unet of {saved.classes} classes; supported are 1 (C), "
                "2 (C, background) and 3 (C, Si, background)"
            )
        self.classes = saved.classes
        self.network = filled(lambda: Unet(saved), saved.weights)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities of the two species; what is left is background."""
        logits = self.network(image)
        if self.classes == 1:
            carbon = torch.sigmoid(logits[:, 0])
            return carbon, torch.zeros_like(carbon)
        probability = torch.softmax(logits, dim=1)
        carbon, silicon = probability[:, 0], probability[:, 1]
        return carbon, silicon if self.classes == MAX_CLASSES else 0 * silicon


def _bottleneck(saved: SavedUnet, width: int) -> nn.Module:
    if any(name.startswith(DILATED) for name in saved.weights):
        return DilatedBlock(4 * width, 8 * width, _dilated_layout(saved))
    return Block(4 * width, 8 * width, layout_of(saved.weights, "bn.block"))


def _dilated_layout(saved: SavedUnet) -> Layout:
    """The bottleneck's; AtomAI has dropout in it and in c3 and c4, or in none."""
    blocks = (DILATED, "c3.block", "c4.block")
    layouts = [layout_of(saved.weights, block) for block in blocks]
    for dropout in (*(layout.dropout for layout in layouts), saved.dropout):
        if dropout is not None:
            return replace(layouts[0], dropout=dropout)
    raise ModelError(
        "found a Unet with a single dilated layer, whose weights alone do not tell "
        "whether it has dropout; save it with save_model"
    )


def _layers(
    inputs: int, outputs: int, layout: Layout, *, dilate: bool
) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for number in range(layout.layers):
        wide = 2 * (number + 1) if dilate else 1
        before = outputs if number else inputs
        layers.append(nn.Conv2d(before, outputs, 3, padding=wide, dilation=wide))
        if layout.dropout:
            layers.append(nn.Identity())
        layers.append(nn.LeakyReLU(0.01))
        if layout.batch_norm:
            layers.append(nn.BatchNorm2d(outputs))
    return layers
