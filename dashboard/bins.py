"""Fixed bins, so that the histograms of all frames can stand side by side.

Not those of an analysis' own histograms: those never change, and so are wide enough for
whatever a latent may become; in most of them there is nothing to see. These follow the
values.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 64
"""Bins of every histogram; even, so that pairs can merge."""

TAIL = 0.001
"""Share of a frame's values that may lie beyond either end before bins widen."""


@dataclass(frozen=True, slots=True)
class Bins:
    """`BINS` equal intervals from `low` to `high`."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """Of one bin."""
        return (self.high - self.low) / BINS

    @property
    def edges(self) -> NDArray[np.float64]:
        """(BINS + 1,) ends of the bins, rising."""
        return np.linspace(self.low, self.high, BINS + 1)

    def count(self, values: NDArray[np.floating]) -> NDArray[np.uint32]:
        """(BINS,) how many values fall in each bin.

        Values beyond an end count in the bin at that end; NaN and infinities nowhere.
        """
        finite = values[np.isfinite(values)].astype(np.float64)
        index = np.clip(np.floor((finite - self.low) / self.width), 0, BINS - 1)
        return np.bincount(index.astype(np.intp), minlength=BINS).astype(np.uint32)

    def widened(self, values: NDArray[np.floating]) -> "Bins":
        """These bins, doubled towards where too many of `values` lie outside.

        Doubling merges the old bins in pairs, so that counts made with them stay
        exact: see `merged`.
        """
        finite = values[np.isfinite(values)].astype(np.float64)
        if not len(finite):
            return self
        bottom, top = np.quantile(finite, [TAIL, 1 - TAIL])
        low, high = self.low, self.high
        while bottom < low or top > high:
            span = high - low
            low, high = (low - span, high) if bottom < low else (low, high + span)
        return Bins(low, high)


UNKNOWN_BINS = Bins(0.0, 1.0)
"""Of a quantity that has never had a value."""


def bins_around(values: NDArray[np.floating]) -> Bins | None:
    """Bins that hold nearly all of `values` with room to spare; None without values."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not len(finite):
        return None
    bottom, top = (float(edge) for edge in np.quantile(finite, [TAIL, 1 - TAIL]))
    room = max(0.15 * (top - bottom), 1e-3 * max(abs(bottom), abs(top)), 1e-3)
    return Bins(bottom - room, top + room)


def merged(counts: NDArray[np.uint32], old: Bins, new: Bins) -> NDArray[np.uint32]:
    """(…, BINS) counts made with `old`, as if made with `new` = `old.widened(…)`."""
    if old == new:
        return counts
    middles = (old.edges[:-1] + old.edges[1:]) / 2
    target = np.floor((middles - new.low) / new.width).clip(0, BINS - 1)
    result = np.zeros_like(counts)
    np.add.at(result.T, target.astype(np.intp), counts.T)
    return result
