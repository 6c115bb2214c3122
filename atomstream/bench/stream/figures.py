"""What `atomstream bench stream` measures."""

from dataclasses import dataclass

from atomstream.bench.machine import Machine
from atomstream.bench.spread import Spread


@dataclass(frozen=True, slots=True)
class Received:
    """By one receiver, in one size over one transport."""

    receiver: str
    transport: str
    size_px: int
    runs: int
    frames: int
    """That count, of each run."""
    cpu_ms: Spread
    """Of the receiving process, a frame, over the runs."""
    latency_ms: Spread
    """From sending to handing over, over all frames."""


@dataclass(frozen=True, slots=True)
class Durable:
    """Frames taken from their bytes, and committed to a session one after the other."""

    size_px: int
    frames: int
    frames_per_s: float
    commit_ms: Spread


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """All of one run."""

    machine: Machine
    per_second: float
    """Frames of 1024² a second; larger ones fewer."""
    received: tuple[Received, ...]
    durable: Durable
    peer_version: str | None
    """Of karabo-bridge; None: not measured."""

    def find(self, receiver: str, transport: str, size_px: int) -> Received | None:
        """What was measured of one, None if it was not."""
        wanted = (receiver, transport, size_px)
        for each in self.received:
            if (each.receiver, each.transport, each.size_px) == wanted:
                return each
        return None
