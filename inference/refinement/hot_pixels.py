"""Single pixels that say nothing of the sample: hot, dead, hit by a particle."""

import numpy as np
from numpy.typing import NDArray

from inference.normalise import BRIGHTEST, ordinary_scale

MOST = 0.01
"""Share of the frame from which on very bright pixels are no accidents."""


def without_hot_pixels(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The image with such pixels replaced by the median of their neighbours.

    A pixel is one if it is farther from both the frame's ordinary grey values and its
    eight neighbours than `BRIGHTEST` deviations: an atom is wider than a pixel.

    Parameters
    ----------
    image
        (rows, cols), finite.
    """
    # Two numbers that need not be exact: one pixel of sixteen tells them.
    mean, deviation = ordinary_scale(image[::2, ::2])
    limit = BRIGHTEST * max(deviation, 1e-38)
    if image.max() - mean <= limit and mean - image.min() <= limit:
        return image
    row, col = np.nonzero(np.abs(image - np.float32(mean)) > limit)
    if not 0 < len(row) < MOST * image.size:
        return image
    around = _neighbours(image, row, col)
    usual = np.median(around, axis=1)
    hot = np.abs(image[row, col] - usual) > limit
    cured = image.copy()
    cured[row[hot], col[hot]] = usual[hot]
    return cured


def _neighbours(
    image: NDArray[np.float32], row: NDArray[np.intp], col: NDArray[np.intp]
) -> NDArray[np.float32]:
    """(N, 8): grey values around pixels, the border's repeated beyond it."""
    padded = np.pad(image, 1, mode="edge")
    places = [divmod(place, 3) for place in range(9) if place != 4]
    return np.stack([padded[row + down, col + right] for down, right in places], axis=1)
