"""Grey values brought to a scale that no bright patch and no hot pixel can shift."""

import numpy as np
from numpy.typing import NDArray

CLIP_SIGMA = 3.0
"""Pixels farther from the mean are left out of it: contamination, Si, hot pixels."""
ROUNDS = 3
BRIGHTEST = 12.0
"""Normalised values are cut off here, and as far below zero; a Si at the highest
contrast reaches about 10."""


def min_max(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grey values from 0 to 1, as networks of AtomAI expect them.

    Parameters
    ----------
    image
        (rows, cols), finite.

    Returns
    -------
    (rows, cols); all zero for a constant image.
    """
    low, high = image.min(), image.max()
    spread = np.float64(high) - np.float64(low)
    if spread < np.finfo(np.float32).tiny:
        return np.zeros_like(image)
    return np.asarray((image - low) * np.float32(1 / spread), np.float32)


def normalise(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Zero mean and unit standard deviation of the pixels that are not outliers.

    Parameters
    ----------
    image
        (rows, cols), finite.

    Returns
    -------
    (rows, cols), within ± `BRIGHTEST`; all zero for a constant image.
    """
    mean, deviation = ordinary_scale(image)
    if deviation < np.finfo(np.float32).tiny:
        return np.zeros_like(image)
    with np.errstate(over="ignore"):  # what becomes infinite is cut off
        scaled = (image - np.float32(mean)) * np.float32(1 / deviation)
    limit = np.float32(BRIGHTEST)
    return np.asarray(np.clip(scaled, -limit, limit), np.float32)


def ordinary_scale(image: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation of the pixels that are not outliers."""
    # A quarter of the pixels gives the two numbers to a part in a thousand.
    sample = image[::2, ::2].ravel()
    mean, deviation = _mean_and_deviation(sample)
    for _ in range(ROUNDS):
        kept = sample[np.abs(sample - mean) <= CLIP_SIGMA * deviation]
        if len(kept) == 0:
            break
        mean, deviation = _mean_and_deviation(kept)
    return mean, deviation


def _mean_and_deviation(values: NDArray[np.float32]) -> tuple[float, float]:
    return float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
