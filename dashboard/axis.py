"""Over what the plots over time are drawn, and where frames lie along it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

MINUTES_FROM_S = 300.0
HOURS_FROM_S = 3 * 3600.0
POWERS_FROM = 5
"""Doses from ten to this power on are told in powers of ten."""

FARTHEST = 1e30
"""Larger numbers, which no clock and no beam gives, have no place on an axis."""


class Axis(StrEnum):
    """Over what plots are drawn."""

    FRAMES = "frames"
    TIME = "time"
    """Since the start of the stream's first frame."""
    DOSE = "dose"
    """Accumulated electrons per nm²."""


FIELDS: Mapping[Axis, str] = {
    Axis.FRAMES: "seq",
    Axis.TIME: "time_s",
    Axis.DOSE: "dose_e_nm2",
}
"""Of `History.records` and of a scene, in numbers, s and e/nm²."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """How an axis is marked."""

    axis: Axis
    unit: str = ""
    scale: float = 1.0
    """Of one unit, in frames, s or e/nm²."""

    @property
    def title(self) -> str:
        """What to write at the axis."""
        name = "frame" if self.axis is Axis.FRAMES else str(self.axis)
        return f"{name} ({self.unit})" if self.unit else name

    @property
    def short_title(self) -> str:
        """The same where there is little room: a dose is told by its unit."""
        return self.unit if self.axis is Axis.DOSE else self.title


def ruler(axis: Axis, farthest: float) -> Ruler:
    """In units that suit an axis which reaches to `farthest` frames, s or e/nm²."""
    if axis is Axis.FRAMES:
        return Ruler(axis)
    if axis is Axis.TIME:
        return time_ruler(farthest)
    power = math.floor(math.log10(farthest)) if farthest > 0 else 0
    if power < POWERS_FROM:
        return Ruler(axis, "e/nm²")
    return Ruler(axis, f"10{superscript(power)} e/nm²", 10.0**power)


def time_ruler(farthest_s: float) -> Ruler:
    """Seconds, minutes or hours."""
    if farthest_s <= MINUTES_FROM_S:
        return Ruler(Axis.TIME, "s")
    if farthest_s <= HOURS_FROM_S:
        return Ruler(Axis.TIME, "min", 60.0)
    return Ruler(Axis.TIME, "h", 3600.0)


def superscript(number: int) -> str:
    """The digits of an exponent."""
    return str(number).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def positions(records: NDArray[np.void], axis: Axis) -> NDArray[np.float64]:
    """(N,) in frames, s or e/nm²; NaN for frames that have no place on this axis."""
    values = records[FIELDS[axis]].astype(np.float64)
    if axis is Axis.FRAMES:
        return values
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < FARTHEST, values, np.nan)


def offered(records: NDArray[np.void]) -> tuple[Axis, ...]:
    """The axes along which these frames can be told apart."""
    return tuple(axis for axis in Axis if is_offered(records, axis))


def is_offered(records: NDArray[np.void], axis: Axis) -> bool:
    """Whether frames have places on this axis, and not all the same."""
    found = positions(records, axis)
    found = found[np.isfinite(found)]
    return axis is Axis.FRAMES or (
        len(found) > 0 and (len(records) == 1 or bool(found.max() > found.min()))
    )


def pitch(seq: NDArray[np.int64], position: NDArray[np.float64]) -> float:
    """From one frame to the next: the median, which gaps do not change.

    Parameters
    ----------
    seq
        (N,), rising.
    position
        (N,), finite.
    """
    steps = np.abs(np.diff(position) / np.diff(seq))
    steps = steps[steps > 0]
    if len(steps):
        return float(np.median(steps))
    return float(position[0]) if position[0] > 0 else 1.0
