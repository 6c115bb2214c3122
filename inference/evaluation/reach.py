"""A figure beside the range that it should lie in."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """A range that a figure should lie in."""

    low: float = -math.inf
    high: float = math.inf

    def holds(self, value: float) -> bool | None:
        """None where nothing was measured."""
        return None if math.isnan(value) else self.low <= value <= self.high

    def __str__(self) -> str:
        if math.isinf(self.high):
            return f"≥ {self.low:g}"
        if math.isinf(self.low):
            return f"≤ {self.high:g}"
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    where: str
    """Condition, lattice or recording."""
    measured: float
    reach: Reach | None = None
    """None where nothing is asked."""

    @property
    def reached(self) -> bool | None:
        """None where nothing is asked, or nothing was measured."""
        return self.reach.holds(self.measured) if self.reach else None
