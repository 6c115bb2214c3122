"""Figures as JSON, which knows no NaN and needs no seventeen digits."""

import math
from collections.abc import Mapping

from streamer.frame import JsonValue


def as_json(figures: Mapping[str, object]) -> dict[str, JsonValue]:
    """Numbers to five digits, null for what is not known.

    Parameters
    ----------
    figures
        From `dataclasses.asdict`: numbers, words, tuples and mappings of them.
    """
    return {name: _value(value) for name, value in figures.items()}


def _value(value: object) -> JsonValue:
    match value:
        case bool() | int() | str() | None:
            return value
        case float():
            return float(f"{value:.5g}") if math.isfinite(value) else None
        case Mapping():
            return as_json({f"{key}": item for key, item in value.items()})
        case tuple() | list():
            return [_value(item) for item in value]
    raise TypeError(f"{value!r} is no figure")
