"""Frames brought to the pixel size that a model was trained at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True, slots=True)
class Grid:
    """How pixels of the resampled image lie on those of the frame.

    Both cover exactly the same area, so the two scales may differ a little.
    """

    frame_shape: tuple[int, int]
    shape: tuple[int, int]
    """(rows, cols) after resampling."""

    @property
    def scale(self) -> NDArray[np.float64]:
        """(2,): frame pixels per resampled pixel, along rows and columns."""
        scale = np.array(self.frame_shape) / np.array(self.shape)
        return np.asarray(scale, np.float64)

    def to_frame(self, rowcol: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 2) positions in resampled pixels → in pixels of the frame."""
        return np.asarray((rowcol + 0.5) * self.scale - 0.5, np.float64)

    def to_resampled(self, rowcol: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, 2) positions in pixels of the frame → in resampled pixels."""
        return np.asarray((rowcol + 0.5) / self.scale - 0.5, np.float64)


def grid_for(
    frame_shape: tuple[int, int], pixel_size_nm: float, target_nm: float
) -> Grid:
    """The grid whose pixels are as near to `target_nm` as whole numbers allow."""
    rows, cols = (
        max(1, round(side * pixel_size_nm / target_nm)) for side in frame_shape
    )
    return Grid(frame_shape, (rows, cols))


def resample(image: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
    """The image on the grid's pixels.

    Enlarging interpolates linearly; reducing weights with a triangle as wide as the
    new pixel, so that shot noise averages out and nothing aliases.
    """
    if grid.shape == grid.frame_shape:
        return image
    rows, cols = grid.shape
    resized = Image.fromarray(image).resize((cols, rows), Image.Resampling.BILINEAR)
    return np.asarray(resized, np.float32)
