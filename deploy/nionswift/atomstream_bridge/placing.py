"""Where the pixels of a preview, and the atoms on it, are in the sample."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.analysis import Analysis

Coordinates = tuple[NDArray[np.floating], NDArray[np.floating]]


@dataclass(frozen=True, slots=True)
class Placing:
    """Of an image that has `block` x `block` pixels of a frame in each of its own."""

    shape: tuple[int, int]
    """(rows, cols) of the image."""
    block: int
    pixel_size_nm: float | None
    """Side of a pixel of the frame; None if unknown."""
    origin_nm: tuple[float, float]
    """(x, y) of the centre of pixel (0, 0) of the frame."""

    @property
    def units(self) -> str:
        """Of `scale` and `offsets`: nm, or none, for pixels of the frame."""
        return "" if self.pixel_size_nm is None else "nm"

    @property
    def scale(self) -> float:
        """Side of a pixel of the image."""
        return self.block * (self.pixel_size_nm or 1.0)

    @property
    def offsets(self) -> tuple[float, float]:
        """(y, x) of the corner of the image, which is what Nion Swift wants."""
        if self.pixel_size_nm is None:
            return 0.0, 0.0
        x_nm, y_nm = self.origin_nm
        return y_nm - self.pixel_size_nm / 2, x_nm - self.pixel_size_nm / 2

    def in_image(
        self, row_px: NDArray[np.floating], col_px: NDArray[np.floating]
    ) -> Coordinates:
        """Pixels of the image, whole numbers at their centres."""
        rows, cols = ((px + 0.5) / self.block - 0.5 for px in (row_px, col_px))
        return rows, cols

    def in_fractions(
        self, row_px: NDArray[np.floating], col_px: NDArray[np.floating]
    ) -> Coordinates:
        """Fractions of the image: 0 at its upper or left edge, 1 at the other."""
        rows, cols = self.in_image(row_px, col_px)
        return (rows + 0.5) / self.shape[0], (cols + 0.5) / self.shape[1]

    def radius(self, nm: float, otherwise_px: float) -> float:
        """A length in pixels of the image; in those of the frame if nm are unknown."""
        if self.pixel_size_nm is None:
            return otherwise_px / self.block
        return nm / self.scale


def placing_of(analysis: Analysis) -> Placing:
    """Where the preview of an analysis is."""
    rows, cols = analysis.preview.image.shape
    block = max(1, math.ceil(max(analysis.shape) / max(rows, cols)))
    return Placing((rows, cols), block, analysis.pixel_size_nm, analysis.origin_nm)
