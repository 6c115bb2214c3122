"""Serves the page of what is published somewhere. A program of its own.

Takes the address of the analyses; writes the page's address, and then a line of figures
for each line that it reads.
"""

import json
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from dashboard.hub import Hub, Paint
from dashboard.live_feed import LiveFeed
from dashboard.server import Dashboard

PAGE_BYTES = 4096
PAINTS = 1000
"""The newest, of all viewers together."""


@dataclass(frozen=True, slots=True)
class Told:
    """How things stand with the server of the page."""

    cpu_s: float
    """Of all its threads, since it started."""
    memory_mb: float
    """Resident, in 10⁶ bytes."""
    seq: int
    """Of the newest frame; -1 before the first."""
    paints: list[tuple[int, float]]
    """The newest frames that a viewer has painted, and when (monotonic seconds)."""

    @classmethod
    def from_line(cls, line: str) -> Self:
        """As `tell` wrote it."""
        told: dict[str, Any] = json.loads(line)
        return cls(**told)


def main() -> None:
    """Serve until stdin is closed."""
    url = sys.argv[1]
    hub = Hub(url, time.monotonic)
    paints: deque[Paint] = deque(maxlen=PAINTS)
    hub.watch_paints(paints.append)
    with LiveFeed(hub, [url]), Dashboard(hub, port=0) as page:
        say(page.url)
        for _ in sys.stdin:
            say(json.dumps(asdict(told(hub, paints))))


def told(hub: Hub, paints: Iterable[Paint]) -> Told:
    """Asked now."""
    newest = [channel.history.newest.seq for channel in hub.snapshot.channels.values()]
    return Told(
        cpu_s=time.process_time(),
        memory_mb=memory_mb(),
        seq=max(newest, default=-1),
        paints=[(paint.seq, paint.painted_s) for paint in tuple(paints)],
    )


def memory_mb() -> float:
    """Resident memory of this process; NaN where nobody tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return float("nan")
    return pages * PAGE_BYTES / 1e6


def say(line: str) -> None:
    """To who started this."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
