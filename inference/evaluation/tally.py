"""Counts that become a share only when all of them are together."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tally:
    """So many of so many."""

    hits: int = 0
    of: int = 0

    @classmethod
    def count(cls, values: NDArray[np.bool_]) -> "Tally":
        """How many are true."""
        return cls(int(values.sum()), len(values))

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.hits + other.hits, self.of + other.of)

    @property
    def share(self) -> float:
        """0..1; NaN of none."""
        return self.hits / self.of if self.of else math.nan
