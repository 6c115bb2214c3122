"""Large images through the network piece by piece, as if it had seen them whole."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_PX = 2**22
"""Pixels that the network sees at once: it takes about 100 bytes for each."""

type Network = Callable[
    [NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]
]
"""Normalised image (rows, cols) → probability of C and of Si, (rows, cols) each."""


@dataclass(frozen=True, slots=True)
class Span:
    """Part of one side of an image, in pixels."""

    seen: slice
    """Of the image: what the network gets."""
    kept: slice
    """Of the image: where what it gives is right."""

    @property
    def inside(self) -> slice:
        """What is kept, counted from the first pixel seen."""
        first = self.seen.start
        return slice(self.kept.start - first, self.kept.stop - first)


def in_tiles(
    image: NDArray[np.float32],
    network: Network,
    stride_px: int,
    reach_px: int,
    most_px: int = MOST_PX,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the network says of the whole image, to float rounding.

    Parameters
    ----------
    image
        (rows, cols): normalised as a whole; sides multiples of `stride_px`.
    stride_px
        Tiles begin at multiples of this, so that the network pools the same pixels.
    reach_px
        No input farther than this from an output, along either axis, decides about it.
    most_px
        Pixels of a tile, unless they are too few for an overlap of twice the reach.

    Returns
    -------
    Probability of C and of Si, (rows, cols) each.
    """
    if image.size <= most_px:
        return network(image)
    carbon, silicon = np.empty_like(image), np.empty_like(image)
    for row, col in tiles(image.shape, stride_px, reach_px, most_px):
        found = network(image[row.seen, col.seen])
        for whole, part in zip((carbon, silicon), found, strict=True):
            whole[row.kept, col.kept] = part[row.inside, col.inside]
    return carbon, silicon


def tiles(
    shape: tuple[int, ...], stride_px: int, reach_px: int, most_px: int
) -> Iterator[tuple[Span, Span]]:
    """(rows, cols) of each tile; what is kept of them covers the image once."""
    rows, cols = shape
    # Square where it can be; a side that fits whole leaves more for the other.
    height = min(rows, math.isqrt(most_px))
    width = min(cols, most_px // height)
    height = min(rows, most_px // width)
    for row in _spans(rows, height, stride_px, reach_px):
        for col in _spans(cols, width, stride_px, reach_px):
            yield row, col


def _spans(length: int, longest: int, stride_px: int, reach_px: int) -> list[Span]:
    """Parts of one side, equally long to a stride, with overlaps."""
    if length <= longest:
        return [Span(slice(0, length), slice(0, length))]
    overlap = -(-reach_px // stride_px) * stride_px
    most = max(longest - 2 * overlap, stride_px)
    step = math.ceil(length / math.ceil(length / most) / stride_px) * stride_px
    return [
        Span(
            slice(max(0, first - overlap), min(length, first + step + overlap)),
            slice(first, min(length, first + step)),
        )
        for first in range(0, length, step)
    ]
