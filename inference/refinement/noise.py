"""How much a grey value scatters: its variance as a straight line of its mean."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FLOOR = 0.05
"""Smallest variance, as a part of that of the mean grey value: without it a dark pixel
would count for so much that a missed atom pulls at its neighbours."""
BINS = 24


@dataclass(frozen=True, slots=True)
class Noise:
    """Variance of a pixel = `constant` + `gain` x mean, but at least `least`.

    In counts the gain is 1 and the constant that of the read-out. A frame scaled to
    0..1, to 0..255 or with an offset has other ones, and they are all that the weights
    of the fit need: no grey value has to be turned into counts.
    """

    constant: float
    gain: float
    least: float

    def variance(self, mean: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of pixels with these expected grey values."""
        variance = mean * np.float32(self.gain) + np.float32(self.constant)
        return np.asarray(np.maximum(variance, np.float32(self.least)), np.float32)


def noise_from_residuals(
    mean: NDArray[np.float32], residual: NDArray[np.float32]
) -> Noise:
    """The line through the squares of residuals, against the expected grey values.

    Parameters
    ----------
    mean, residual
        (M,): of pixels that belong to the frame, at least `BINS` of them.
    """
    order = np.argsort(mean)
    starts = np.linspace(0, len(order), BINS, endpoint=False).astype(np.intp)
    count = np.diff(starts, append=len(order)).astype(np.float64)
    level = np.add.reduceat(mean[order].astype(np.float64), starts) / count
    square = np.add.reduceat(residual[order].astype(np.float64) ** 2, starts)
    return _line(level, square / count, count)


def _line(
    level: NDArray[np.float64],
    spread: NDArray[np.float64],
    count: NDArray[np.float64],
) -> Noise:
    """A weighted straight line that rises, and is nowhere below `FLOOR` of its mean."""
    # A variance scatters as itself: each bin weighs as much as its own value is sure.
    weight = np.sqrt(count) / np.maximum(spread, 1e-3 * spread.max() + 1e-30)
    design = np.stack([weight, weight * level], axis=1)
    (constant, gain), *_ = np.linalg.lstsq(design, weight * spread)
    average = float((count * spread).sum() / count.sum())
    if gain <= 0:
        constant, gain = average, 0.0
    return Noise(float(constant), float(gain), max(FLOOR * average, 1e-30))
