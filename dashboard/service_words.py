"""How the services stand, in words for the page."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.alert import Alert
from dashboard.snapshot import Channel, LinkState, Snapshot
from streamer.service_state import Recorded, ServiceState

NOTHING = "\N{EN DASH}"
"""Stands where a number would, when there is none."""
UNKNOWN = "unknown: nothing heard"
RECENT = 10
"""Frames by which it is told how long one takes."""
DAY_S = 86_400.0
LONG_DAYS = 3650.0


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and its tone."""

    text: str
    tone: str = "calm"


def service_words(snapshot: Snapshot, channel: Channel | None) -> Mapping[str, Said]:
    """What the page says of all services together, by id of the element."""
    states = tuple(snapshot.services.values())
    said = {
        "recording": recording(states),
        "disk": disk(states, snapshot.alerts),
        "backlog": backlog(states, snapshot.alerts),
        "aside": aside(states),
        "session": Said(", ".join(state.session for state in states)),
        "pace": Said(pace(channel)),
    }
    if states and snapshot.link.state is LinkState.SILENT:
        # What was heard last may be true no longer.
        unheard = dict.fromkeys(("recording", "backlog"), Said(UNKNOWN, "bad"))
        said |= unheard | {"disk": Said("")}
    return said


def recording(states: Iterable[ServiceState]) -> Said:
    """Whether all that comes is kept."""
    recorded = {state.recorded for state in states}
    if not recorded:
        return Said(NOTHING)
    if Recorded.NO in recorded:
        return Said("NOT RECORDING", "bad")
    if Recorded.YES in recorded:
        return Said("recording", "good")
    return Said("off: this is a recording")


def disk(states: Iterable[ServiceState], alerts: Iterable[Alert]) -> Said:
    """Free space of the disk with the least, and for how long that is enough."""
    known = [state for state in states if state.free_bytes is not None]
    if not known:
        return Said("")
    least = min(known, key=free_bytes)
    is_short = any(alert.rule == "disk_below_gb" for alert in alerts)
    return Said(
        f", {size(free_bytes(least))} free{room(least)}", "bad" if is_short else "calm"
    )


def free_bytes(state: ServiceState) -> float:
    """Unknown: 0."""
    return float(state.free_bytes or 0)


def room(state: ServiceState) -> str:
    """For how long frames can go on coming as they have come lately."""
    if state.recorded is Recorded.OFF or not state.bytes_per_s:
        return ""
    return (
        f", room for about {long(free_bytes(state) / state.bytes_per_s)} at this rate"
    )


def size(nbytes: float) -> str:
    """Bytes in GB or TB, three digits."""
    unit, divisor = ("TB", 1e12) if nbytes >= 1e12 else ("GB", 1e9)
    number = nbytes / divisor
    return f"{number:.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"


def long(seconds: float) -> str:
    """A time of which only the size matters: "30 days", "5 hours"."""
    days = seconds / DAY_S
    if days > LONG_DAYS:
        return "ten years or more"
    for name, length_s in (("day", DAY_S), ("hour", 3600.0)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {name}s"
    minutes = max(1, round(seconds / 60))
    return f"{minutes} minute{'s' if minutes > 1 else ''}"


def backlog(states: Iterable[ServiceState], alerts: Iterable[Alert]) -> Said:
    """How many frames wait to be analysed."""
    counts = [state.waiting for state in states]
    if not counts:
        return Said(NOTHING)
    is_late = any(alert.rule == "backlog_above_frames" for alert in alerts)
    waiting = sum(counts)
    words = f"{frames(waiting)} wait{'s' if waiting == 1 else ''}"
    return Said(words if waiting else "none", "warn" if is_late else "calm")


def aside(states: Iterable[ServiceState]) -> Said:
    """How many frames nobody analyses, if there are any."""
    count = sum(state.aside for state in states)
    return Said(f", {frames(count)} set aside" if count else "", "warn")


def frames(count: int) -> str:
    """So many frames: "1 frame", "2 frames"."""
    return f"{count:,} frame{'' if count == 1 else 's'}"


def pace(channel: Channel | None) -> str:
    """How long a frame takes, from the start of one to that of the next."""
    if channel is None:
        return NOTHING
    interval_s = frame_interval_s(channel.history.records)
    return f"{interval_s:.3g} s" if math.isfinite(interval_s) else NOTHING


@np.errstate(all="ignore")
def frame_interval_s(records: NDArray[np.void]) -> float:
    """Median of the newest intervals between frames, NaN if unknown.

    Frames that are missing between two are allowed for.
    """
    newest = records[-RECENT - 1 :]
    numbers, times = np.diff(newest["seq"]), np.diff(newest["time_s"])
    intervals = times[np.isfinite(times)] / numbers[np.isfinite(times)]
    return float(np.median(intervals)) if len(intervals) else math.nan
