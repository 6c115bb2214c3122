"""The frame as the fit sees it: binned to a useful pixel, with a margin around it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MARGIN_PX = 28
"""Around the frame, without weight, so that no atom's window leaves the canvas."""
COARSE = 4
"""The canvas divides into blocks of this many pixels a side."""


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """Grey values, float32, and which of them belong to the frame."""

    image: NDArray[np.float32]
    """(rows, cols), mean grey value of the frame's pixels; 0 in the margin."""
    inside: NDArray[np.float32]
    """(rows, cols): 1 in the frame, 0 in the margin."""
    binning: int
    """Frame pixels per canvas pixel, along each axis."""
    pixel_size_nm: float
    """Of the canvas."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols), margin included; multiples of `COARSE`."""
        rows, cols = self.image.shape
        return rows, cols

    def from_frame(self, rowcol: NDArray[np.floating]) -> NDArray[np.float64]:
        """Positions along either axis, in pixels of the frame → of the canvas."""
        return np.asarray((rowcol + 0.5) / self.binning - 0.5 + MARGIN_PX, np.float64)

    def to_frame(self, rowcol: NDArray[np.floating]) -> NDArray[np.float64]:
        """Positions along either axis, in pixels of the canvas → of the frame."""
        return np.asarray((rowcol - MARGIN_PX + 0.5) * self.binning - 0.5, np.float64)


def canvas_of(
    image: NDArray[np.float32], pixel_size_nm: float, target_nm: float
) -> Canvas:
    """The canvas of a frame; up to a bin's width of it is cut off below and right.

    Parameters
    ----------
    image
        (rows, cols), finite.
    target_nm
        Pixels are summed until they are about this wide.
    """
    binning = max(1, round(target_nm / pixel_size_nm))
    binned = block_mean(_whole_blocks(image, binning), binning)
    pad = [(MARGIN_PX, MARGIN_PX + -side % COARSE) for side in binned.shape]
    return Canvas(
        image=np.pad(binned, pad),
        inside=np.pad(np.ones_like(binned), pad),
        binning=binning,
        pixel_size_nm=pixel_size_nm * binning,
    )


def _whole_blocks(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    rows, cols = image.shape
    return image[: rows - rows % side, : cols - cols % side]


def block_mean(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Mean of blocks of `side` x `side` pixels; both sides are multiples of it."""
    if side == 1:
        return image
    rows, cols = image.shape
    down = np.add.reduce(image.reshape(rows // side, side, cols), axis=1)
    blocks = np.add.reduce(down.reshape(rows // side, cols // side, side), axis=2)
    return np.asarray(blocks / np.float32(side * side), np.float32)
