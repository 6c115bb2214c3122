"""Where the frames of a stream lie along the axis of a plot over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.session.records import AnalysisRecord

UNITS = (("s", 1.0, 300.0), ("min", 60.0, 4 * 3600.0), ("h", 3600.0, np.inf))
"""Name, seconds, and the longest span in seconds for which it is used."""


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The axis of N analysed frames."""

    label: str
    """With its unit."""
    at: NDArray[np.float64]
    """(N,): each frame's place."""
    starts: NDArray[np.float64]
    """(N,): a frame fills the axis from here…"""
    ends: NDArray[np.float64]
    """(N,): … to here; neighbours meet, others leave a gap."""
    dose_e_nm2: NDArray[np.float64] | None
    """(N,) accumulated at each, where it is known of all and grows."""
    changes: tuple[float, ...]
    """Where another model takes over."""

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """Stretches between two analysed frames of which nothing is known."""
        apart = np.flatnonzero(self.starts[1:] > self.ends[:-1])
        return [(float(self.ends[i]), float(self.starts[i + 1])) for i in apart]


def timeline_of(records: Sequence[AnalysisRecord]) -> Timeline:
    """The axis of these analyses, at least one: time, or frames where it is unknown.

    Time is also not trusted where it does not grow from frame to frame: a clock was
    set.
    """
    seqs = np.array([record.frame.seq for record in records], np.int64)
    times = np.array([record.frame.exposure.time_s for record in records])
    doses = np.array([record.frame.exposure.dose_e_nm2 for record in records])
    label, at = "frame", seqs.astype(np.float64)
    if _grows(times):
        unit, seconds = _unit(float(times[-1] - times[0]))
        label, at = f"time ({unit})", times / seconds
    starts, ends = _filled(seqs, at)
    changes = [
        i for i in range(1, len(records)) if records[i].model != records[i - 1].model
    ]
    return Timeline(
        label=label,
        at=at,
        starts=starts,
        ends=ends,
        dose_e_nm2=doses if _grows(doses) else None,
        changes=tuple(float(starts[i]) for i in changes),
    )


def _grows(values: NDArray[np.float64]) -> bool:
    known = len(values) > 1 and bool(np.isfinite(values).all())
    return known and bool((np.diff(values) > 0).all())


def _unit(span_s: float) -> tuple[str, float]:
    return next((name, size) for name, size, most in UNITS if span_s <= most)


def _filled(
    seqs: NDArray[np.int64], at: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Starts and ends: half way to a neighbour, half a frame where there is none."""
    steps = np.diff(at) / np.diff(seqs)
    half = float(np.median(steps)) / 2 if len(steps) else 0.5
    starts, ends = at - half, at + half
    middle = (at[1:] + at[:-1]) / 2
    beside = np.diff(seqs) == 1
    starts[1:] = np.where(beside, middle, np.maximum(starts[1:], middle))
    ends[:-1] = np.where(beside, middle, np.minimum(ends[:-1], middle))
    return starts, ends
