"""How one quantity is spread over the atoms of a frame, in bins that never change."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 64
"""Bins of every histogram."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Atoms by the value of a quantity; no atom is left out.

    Histograms of the same quantity by the same model have the same bins, so that those
    of several frames can be added.
    """

    low: float
    """Lower end of the first bin."""
    high: float
    """Upper end of the last bin; all are equally wide."""
    counts: tuple[int, ...]
    """Atoms in each bin, its lower end included and its upper end not; in the last one
    both."""
    below: int = 0
    """Atoms with a value less than `low`."""
    above: int = 0
    """Atoms with a value greater than `high`."""
    unknown: int = 0
    """Atoms without a value: NaN."""

    @property
    def atoms(self) -> int:
        """All of them, wherever they are counted."""
        return sum(self.counts) + self.below + self.above + self.unknown

    @property
    def edges(self) -> NDArray[np.float64]:
        """(bins + 1,) ends of the bins, rising."""
        return np.linspace(self.low, self.high, len(self.counts) + 1)

    def __add__(self, other: "Histogram") -> "Histogram":
        """The atoms of both.

        Raises
        ------
        ValueError
            Their bins differ: they are of other quantities or models.
        """
        mine = self.low, self.high, len(self.counts)
        theirs = other.low, other.high, len(other.counts)
        if mine != theirs:
            raise ValueError(f"bins (low, high, number) differ: {mine}, {theirs}")
        return Histogram(
            self.low,
            self.high,
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            self.below + other.below,
            self.above + other.above,
            self.unknown + other.unknown,
        )


def histogram(values: NDArray[np.floating], low: float, high: float) -> Histogram:
    """The histogram of (N,) values in `BINS` bins from `low` to `high`."""
    known = values[~np.isnan(values)].astype(np.float64)
    counts, _ = np.histogram(known, BINS, (low, high))
    return Histogram(
        low,
        high,
        tuple(counts.tolist()),
        below=int(np.count_nonzero(known < low)),
        above=int(np.count_nonzero(known > high)),
        unknown=len(values) - len(known),
    )
