"""Means over what is known."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Protocol


class Figures(Protocol):
    """A dataclass of numbers."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


def mean_of_numbers(values: Sequence[float]) -> float:
    """The mean of those that are not NaN; NaN of none."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def mean_figures[F: Figures](rows: Sequence[F]) -> F:
    """Field by field, the mean of those that are not NaN."""
    tables = [asdict(row) for row in rows]
    means = {
        name: mean_of_numbers([table[name] for table in tables]) for name in tables[0]
    }
    return type(rows[0])(**means)
