"""How a quantity is spread over atoms, frame by frame, and where most of them are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

LEAST_SHARE = 0.2
"""Of the highest: lower maxima of a density are no ridge of it."""
LEAST_DIP = 0.1
"""Of the highest: a maximum that rises less above its surroundings is none."""
LEAST_BANDWIDTH, MOST_BANDWIDTH = 0.015, 0.08
"""Of the range. Standard deviation of the kernel by which densities are smoothed."""


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
        edges = np.linspace(self.low, self.high, self.count + 1)
        return np.asarray(edges, np.float64)

    @property
    def middles(self) -> NDArray[np.float64]:
        """(count,), rising."""
        middles = self.low + self.width * (np.arange(self.count) + 0.5)
        return np.asarray(middles, np.float64)

    def counts(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        """(count,) of the values; NaN, and what lies beyond, are left out."""
        known = values[np.isfinite(values)].astype(np.float64)
        if self.cyclic:
            known = (known - self.low) % (self.high - self.low) + self.low
        return np.histogram(known, self.count, (self.low, self.high))[0]


def bandwidth(counts: NDArray[np.integer], bins: Bins) -> float:
    """Standard deviation of the kernel for the rows of (rows, bins), of the range.

    Silverman's rule for the spread of all rows together and the atoms of a typical
    one, within bounds; the least for what is cyclic, which has no spread of its own.
    """
    atoms = counts.sum(axis=1)
    typical = float(np.median(atoms[atoms > 0])) if (atoms > 0).any() else 0.0
    if bins.cyclic or typical == 0:
        return LEAST_BANDWIDTH
    share = np.cumsum(counts.sum(axis=0)) / atoms.sum()
    first, third = np.searchsorted(share, (0.25, 0.75)) / bins.count
    rule = 0.9 * (third - first) / 1.34 * typical**-0.2
    return float(np.clip(rule, LEAST_BANDWIDTH, MOST_BANDWIDTH))


def densities(
    counts: NDArray[np.integer], bins: Bins, width: float
) -> NDArray[np.float64]:
    """(..., bins): smoothed, each row with an integral of 1 over its quantity.

    NaN in a row that counts nothing.

    Parameters
    ----------
    counts
        (..., bins)
    width
        As `bandwidth` gives it.
    """
    # Beyond the ends nothing was counted; a kernel that loses there would bend down.
    known, sigma = counts.astype(np.float64), width * bins.count
    smooth: NDArray[np.float64] = (
        gaussian_filter1d(known, sigma, axis=-1, mode="wrap")
        if bins.cyclic
        else gaussian_filter1d(known, sigma, axis=-1, mode="reflect")
    )
    total = smooth.sum(axis=-1, keepdims=True) * bins.width
    density = np.full_like(smooth, np.nan)
    np.divide(smooth, total, out=density, where=total > 0)
    return density


@dataclass(frozen=True, slots=True, eq=False)
class Ridges:
    """The maxima of densities, row by row, in no other order within a row."""

    row: NDArray[np.intp]
    value: NDArray[np.float64]
    """Of the quantity, to a fraction of a bin."""
    density: NDArray[np.float64]


def ridges(density: NDArray[np.float64], bins: Bins) -> Ridges:
    """Maxima of each row of (rows, bins).

    Those that are less than `LEAST_SHARE` of the row's highest, or rise less than
    `LEAST_DIP` of it above what surrounds them, are left out.
    """
    rows = [_maxima(row, bins) for row in density]
    return Ridges(
        row=np.repeat(np.arange(len(rows)), [len(value) for value, _ in rows]),
        value=np.concatenate([np.empty(0), *(value for value, _ in rows)]),
        density=np.concatenate([np.empty(0), *(height for _, height in rows)]),
    )


def two_peaks(density: NDArray[np.float64], bins: Bins) -> tuple[float, float] | None:
    """Where the two highest maxima of one (bins,) density are, in rising order.

    None where there are not two.
    """
    values, heights = _maxima(density, bins)
    if len(values) < 2:
        return None
    first, second = np.sort(values[np.argsort(-heights)[:2]])
    return float(first), float(second)


def apart(first: float, second: float, bins: Bins) -> float:
    """Distance of two values; the shorter way round where the quantity is cyclic."""
    direct = abs(second - first)
    return min(direct, bins.high - bins.low - direct) if bins.cyclic else direct


def _maxima(
    density: NDArray[np.float64], bins: Bins
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and heights of the maxima of one row."""
    if not np.isfinite(density).all():
        return np.empty(0), np.empty(0)
    # What closes is cut at its lowest, where no maximum is; else nothing lies beyond.
    start = int(np.argmin(density)) if bins.cyclic else 0
    turned = np.roll(density, -start)
    beyond = turned[0] if bins.cyclic else 0.0
    padded = np.concatenate([[beyond], turned, [beyond]])
    highest = float(density.max())
    top, _ = find_peaks(
        padded, height=LEAST_SHARE * highest, prominence=LEAST_DIP * highest
    )
    left, middle, right = padded[top - 1], padded[top], padded[top + 1]
    # The vertex of a parabola through three bins; at an end there are only two.
    inner = bins.cyclic | ((top > 1) & (top < bins.count))
    curvature = np.minimum(left + right - 2 * middle, -1e-30)
    offset = np.where(inner, (left - right) / (2 * curvature), 0.0)
    place = (top - 1.0 + start) + np.clip(offset, -0.5, 0.5)
    if bins.cyclic:
        place = (place + 0.5) % bins.count - 0.5
    return np.asarray(bins.low + bins.width * (place + 0.5), np.float64), middle
