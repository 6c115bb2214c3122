"""The process that shows: a dashboard that subscribes to analyses like any other."""

import logging
import time

from atomstream.service.process import Lifeline
from atomstream.service.tasks import Page
from dashboard.feed import LiveFeed
from dashboard.hub import Hub
from dashboard.notebook import Notebook, NotesFollowed
from dashboard.server import Dashboard

log = logging.getLogger("dashboard")


def show(task: Page, lifeline: Lifeline) -> None:
    """Serve the page until told to stop."""
    hub = Hub(task.analyses, time.monotonic, notebook=Notebook(task.record))
    with (
        NotesFollowed(hub),
        LiveFeed(hub, [task.analyses], {task.analyses: task.security}),
        Dashboard(hub, task.address, task.port, access=task.access) as page,
    ):
        log.info("open %s", page.url)
        lifeline.tell_progress()
        lifeline.wait()
