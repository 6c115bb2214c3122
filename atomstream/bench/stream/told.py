"""What the programs that send and receive are told, and what they tell.

They are small, so that what they take is what receiving takes. Of each run the first
frames do not count.
"""

import json
import sys
from dataclasses import asdict, dataclass
from typing import Self

UNCOUNTED = 5
"""Frames before the measurement: connections are made, memory is found."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run, for its sender and for its receiver."""

    receiver: str
    """"bare", "checked", "ours", "karabo-bridge"."""
    url: str
    size_px: int
    frames: int
    per_second: float
    keys: str | None = None
    """Folder of the keys of both; None: neither encrypts."""

    @classmethod
    def from_arguments(cls) -> Self:
        """That a program was started with, after what it shall do."""
        return cls(**json.loads(sys.argv[2]))

    def as_argument(self) -> str:
        """For the command line of a program."""
        return json.dumps(asdict(self))


def tell(cpu_s: float, latencies_ms: list[float]) -> None:
    """What the frames took that count."""
    frames = len(latencies_ms)
    told = {"cpu_ms": cpu_s * 1e3 / frames, "latencies_ms": latencies_ms}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
