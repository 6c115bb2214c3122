"""How long the sample had been looked at when a frame was made, and how hard."""

import math
import sqlite3
from dataclasses import dataclass

from streamer.frame import Frame

NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class Exposure:
    """Time and dose up to one frame of a stream."""

    time_s: float
    """Start of the frame since the start of the stream's first; NaN if unknown."""
    dose_e_nm2: float
    """Accumulated since the stream's start, this frame included; NaN if unknown."""


def exposure_of(connection: sqlite3.Connection, stream: int, frame: Frame) -> Exposure:
    """Exposure of a frame that is about to be committed to stream number `stream`."""
    first = connection.execute(
        "SELECT start_ns FROM frames WHERE stream = ? ORDER BY number LIMIT 1",
        (stream,),
    ).fetchone()
    before = connection.execute(
        "SELECT seq, dose_e_nm2 FROM frames WHERE stream = ? AND seq < ? "
        "ORDER BY seq DESC LIMIT 1",
        (stream, frame.seq),
    ).fetchone()
    first_ns = first[0] if first else frame.start_ns
    return Exposure(
        time_s=_time_s(frame, first_ns),
        dose_e_nm2=_dose_e_nm2(frame, *(before or (-1, 0.0))),
    )


def _time_s(frame: Frame, first_ns: int | None) -> float:
    if frame.start_ns is None or first_ns is None:
        return math.nan
    return (frame.start_ns - first_ns) / NS_PER_S


def _dose_e_nm2(frame: Frame, seq_before: int, dose_before: float | None) -> float:
    """Accumulated dose; frames that were lost irradiated the sample as this one."""
    if frame.dose_e_nm2 is None or dose_before is None:
        return math.nan
    return dose_before + frame.dose_e_nm2 * (frame.seq - seq_before)
