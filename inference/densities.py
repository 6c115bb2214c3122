"""How a quantity is spread over atoms, frame by frame, and where most of them are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

LEAST_SHARE = 0.25
"""Of the highest: lower maxima of a density are no ridge of it."""
BANDWIDTH = 0.015
"""Standard deviation of the kernel by which densities are smoothed, as a share of the
range."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Equal bins of one quantity."""

    low: float
    high: float
    count: int
    cyclic: bool = False
    """`high` means the same as `low`, as for angles."""

    @property
    def width(self) -> float:
        """Of each."""
        return (self.high - self.low) / self.count

    @property
    def edges(self) -> NDArray[np.float64]:
        """(count + 1,), rising."""
        return np.linspace(self.low, self.high, self.count + 1)

    @property
    def middles(self) -> NDArray[np.float64]:
        """(count,), rising."""
        return self.low + self.width * (np.arange(self.count) + 0.5)

    def counts(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        """(count,) of the values; NaN, and what lies beyond, are left out."""
        known = values[np.isfinite(values)].astype(np.float64)
        if self.cyclic:
            known = (known - self.low) % (self.high - self.low) + self.low
        return np.histogram(known, self.count, (self.low, self.high))[0]


def densities(counts: NDArray[np.integer], bins: Bins) -> NDArray[np.float64]:
    """(..., bins): smoothed, each row with an integral of 1 over its quantity.

    NaN in a row that counts nothing.

    Parameters
    ----------
    counts
        (..., bins)
    """
    # Beyond the ends nothing was counted; a kernel that loses there would bend down.
    mode = "wrap" if bins.cyclic else "reflect"
    sigma = BANDWIDTH * bins.count
    smooth = gaussian_filter1d(counts.astype(np.float64), sigma, axis=-1, mode=mode)
    total = smooth.sum(axis=-1, keepdims=True) * bins.width
    return np.divide(smooth, total, out=np.full_like(smooth, np.nan), where=total > 0)


@dataclass(frozen=True, slots=True, eq=False)
class Ridges:
    """The maxima of densities, row by row, in no other order within a row."""

    row: NDArray[np.intp]
    value: NDArray[np.float64]
    """Of the quantity, to a fraction of a bin."""
    density: NDArray[np.float64]


def ridges(density: NDArray[np.float64], bins: Bins) -> Ridges:
    """Maxima of each row of (rows, bins).

    Those that are less than `LEAST_SHARE` of the row's highest are left out.
    """
    before, after = _beside(density, bins)
    highest = np.nanmax(density, axis=1, initial=0.0, keepdims=True)
    top = (density > before) & (density >= after) & (density >= LEAST_SHARE * highest)
    row, col = np.nonzero(top)
    left, middle, right = before[row, col], density[row, col], after[row, col]
    # A parabola through three bins; at the end of a range there are only two.
    curvature = left + right - 2 * middle
    bent = np.isfinite(curvature) & (curvature < 0)
    offset = np.zeros(len(row))
    offset[bent] = (left - right)[bent] / (2 * curvature[bent])
    value = bins.middles[col] + bins.width * np.clip(offset, -0.5, 0.5)
    return Ridges(row, value, middle)


def two_peaks(density: NDArray[np.float64], bins: Bins) -> tuple[float, float] | None:
    """Where the two highest maxima of one (bins,) density are, in rising order.

    None where there are not two of `LEAST_SHARE`.
    """
    found = ridges(density[None], bins)
    if len(found.value) < 2:
        return None
    first, second = np.sort(found.value[np.argsort(-found.density)[:2]])
    return float(first), float(second)


def apart(first: float, second: float, bins: Bins) -> float:
    """Distance of two values; the shorter way round where the quantity is cyclic."""
    direct = abs(second - first)
    return min(direct, bins.high - bins.low - direct) if bins.cyclic else direct


def _beside(
    density: NDArray[np.float64], bins: Bins
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The bins before and after each; -inf beyond the ends of what does not close."""
    before, after = np.roll(density, 1, axis=1), np.roll(density, -1, axis=1)
    if not bins.cyclic:
        before[:, 0] = after[:, -1] = -np.inf
    return before, after
