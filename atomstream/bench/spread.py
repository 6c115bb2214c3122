"""How long something takes, over repeats."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one duration."""

    p50: float
    """Median."""
    p99: float
    """Of fewer than a hundred repeats little less than the longest."""


@dataclass(frozen=True, slots=True)
class Timing:
    """By the clock on the wall, and of all threads together."""

    wall_ms: Spread
    cpu_ms: Spread


def spread(values: Sequence[float]) -> Spread:
    """Percentiles, with linear interpolation between the values nearest to them.

    Raises
    ------
    ValueError
        No values.
    """
    if not values:
        raise ValueError("a spread of nothing")
    p50, p99 = np.percentile(values, [50, 99])
    return Spread(float(p50), float(p99))
