"""What `atomstream bench dashboard` measures."""

from collections.abc import Mapping
from dataclasses import dataclass

from atomstream.bench.machine import Machine
from atomstream.bench.spread import Spread


@dataclass(frozen=True, slots=True)
class Seen:
    """By a real browser."""

    frames: int
    """Published while it looked."""
    skipped: int
    """Of them, never painted: it was busy with the one before."""
    painted_ms: Spread
    """From publishing to painted, as the server hears of it."""
    painted_p95_ms: float
    interactions_ms: Mapping[str, Spread]
    """What a viewer does, to painted."""


@dataclass(frozen=True, slots=True)
class Update:
    """One more frame for one viewer."""

    updates: int
    kilobytes: Spread
    """10³ bytes."""
    server_cpu_ms: float
    """Of the server, for each viewer and update."""
    frame_cpu_ms: float
    """Of the server, for each frame without a viewer."""


@dataclass(frozen=True, slots=True)
class Endurance:
    """Memory of the server after many frames, and after many pages."""

    frames: int
    loads: int
    half_mb: float
    """After half of the frames."""
    frames_mb: float
    """After all."""
    loads_mb: float
    """After all pages were opened and closed."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The analysis of a frame while pages are looked at, and while none is."""

    viewers: int
    frames: int
    alone_ms: Spread
    watched_ms: Spread


@dataclass(frozen=True, slots=True)
class PageFigures:
    """All of one run."""

    machine: Machine
    size_px: int
    atoms: int
    seen: Seen | None
    """None: there is no Chromium here."""
    update: Update
    endurance: Endurance
    beside: Beside
