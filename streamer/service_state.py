"""What a service says of its own work, in every heartbeat of what it publishes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Recorded(StrEnum):
    """Whether what comes is kept."""

    YES = "yes"
    NO = "no"
    """It should be, and cannot be."""
    OFF = "off"
    """Nobody means to: a session that is only looked at."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How a service stands: counts of frames are those of its whole session."""

    session: str
    """Name of the session."""
    received: int
    """Frames that have come and are there: on the disk, or in memory for it."""
    committed: int
    """Frames on the disk."""
    waiting: int
    """The backlog: frames that are there, and neither analysed nor set aside."""
    aside: int
    """Frames that are set aside: nobody analyses them."""
    recorded: Recorded
    reason: str | None = None
    """Why frames or analyses are not kept; None while they are."""
    free_bytes: int | None = None
    """Of the session's disk, for its user, in steps of `FREE_STEP_BYTES`; None if
    unknown."""
    bytes_per_s: float | None = None
    """What the newest frames and their analyses have taken of the disk, over the time
    in which they came; None if unknown."""
    oldest_waiting_ns: int | None = None
    """When the oldest of those that wait for their analysis came, ns since 1970 UTC by
    the service's clock; None if none waits, or nobody says."""
    oldest_unrecorded_ns: int | None = None
    """Likewise of those in memory, which wait for the disk."""
    link_s: float | None = None
    """From sending to arrival of the frame that was committed last. The source's clock
    said the first, the service's the second: where they differ, so does this, which
    may be less than 0. None if unknown."""
    restarts: Mapping[str, int] | None = None
    """How often each process was started again since the service was, by its name;
    None if nobody says."""


FREE_STEP_BYTES = 10**8
"""Rounded down to whole steps, so that it does not differ at every look."""
