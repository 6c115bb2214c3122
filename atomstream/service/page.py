"""The process that shows: a dashboard that subscribes to analyses like any other."""

import logging
import threading
import time
from dataclasses import dataclass

from dashboard.feed import LiveFeed
from dashboard.hub import Hub
from dashboard.server import Dashboard

log = logging.getLogger("dashboard")


@dataclass(frozen=True, slots=True)
class Page:
    """What the process needs to know."""

    analyses: str
    """Address at which analyses are published."""
    address: str
    port: int

    def __call__(self, stopping: threading.Event) -> None:
        """Serve the page until told to stop."""
        hub = Hub(self.analyses, time.monotonic)
        with (
            LiveFeed(hub, [self.analyses]),
            Dashboard(hub, self.address, self.port) as page,
        ):
            log.info("open %s", page.url)
            stopping.wait()
