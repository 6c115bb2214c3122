"""Units that microscopes and image formats write, in nm and in seconds."""

import math
from types import MappingProxyType

from streamer.errors import StackError

NM = MappingProxyType(
    {
        "pm": 1e-3,
        "picometer": 1e-3,
        "a": 0.1,
        "å": 0.1,
        "angstrom": 0.1,
        "ångström": 0.1,
        "nm": 1.0,
        "nanometer": 1.0,
        "um": 1e3,
        "micron": 1e3,
        "microns": 1e3,
        "micrometer": 1e3,
        "\\u00b5m": 1e3,  # so ImageJ escapes it in text that must be ASCII
        "mm": 1e6,
        "cm": 1e7,
        "inch": 2.54e7,
        "m": 1e9,
    }
)
"""Length of a unit in nm; names in lower case, with u for micro."""

SECONDS = MappingProxyType(
    {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0}
)
"""Length of a unit of time in seconds."""

SQUARE_TOLERANCE = 0.01
"""Relative difference of two sides that still count as equal."""


def length_nm(value: float, unit: str) -> float | None:
    """A length in nm; None if the unit is not one of length."""
    scale = NM.get(_plain(unit))
    return None if scale is None else value * scale


def pixel_side_nm(value: float, unit: str) -> float | None:
    """Side of a pixel in nm; None unless it is a length that a pixel can have."""
    side = length_nm(value, unit)
    return side if side is not None and math.isfinite(side) and side > 0 else None


def time_s(value: float, unit: str) -> float | None:
    """A time in seconds; None if the unit is not one of time."""
    scale = SECONDS.get(_plain(unit))
    return None if scale is None else value * scale


def are_square(sides_nm: tuple[float, float]) -> bool:
    """Whether pixels of this height and width are square, but for rounding."""
    height, width = sides_nm
    return abs(height - width) <= SQUARE_TOLERANCE * max(height, width)


def square_pixel_nm(sides_nm: tuple[float, float], name: str) -> float:
    """Side of pixels that are square, from their height and width.

    Raises
    ------
    StackError
        They are not.
    """
    height, width = sides_nm
    if not are_square(sides_nm):
        raise StackError(
            f"{name} has pixels of {height:g} x {width:g} nm (height x width); "
            "only square pixels are supported"
        )
    return height if height == width else (height + width) / 2


def _plain(unit: str) -> str:
    # Micro is written with two different letters (U+00B5, U+03BC); å may be
    # one letter, or the sign of the unit (U+212B), which is the same in lower case.
    return unit.strip().lower().replace("\N{MICRO SIGN}", "u").replace("μ", "u")
