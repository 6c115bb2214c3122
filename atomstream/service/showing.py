"""The process that shows: a dashboard that subscribes to analyses like any other."""

import logging
import time

from atomstream.links import links_in_words
from atomstream.manifold import manifold_drawer
from atomstream.service.kept_models import kept_models
from atomstream.service.precedence import let_others_first
from atomstream.service.process import Lifeline
from atomstream.service.tasks import Page
from dashboard.archive import Archive
from dashboard.hub import Hub
from dashboard.live_feed import LiveFeed
from dashboard.notebook import Notebook, NotesFollowed
from dashboard.recall import Recall
from dashboard.server import Dashboard

log = logging.getLogger("dashboard")


def show(task: Page, lifeline: Lifeline) -> None:
    """Serve the page until told to stop."""
    let_others_first()
    draw = manifold_drawer(lambda: kept_models(task.record))
    hub = Hub(
        task.analyses,
        time.monotonic,
        draw_manifold=draw,
        rules=task.rules,
        notebook=Notebook(None if task.passing else task.record),
    )
    with (
        NotesFollowed(hub),
        LiveFeed(hub, [task.analyses], {task.analyses: task.security}),
        Recall(hub, task.record),
        Archive(task.record) as archive,
        Dashboard(
            hub, task.address, task.port, access=task.access, archive=archive
        ) as page,
    ):
        log.info("open %s", links_in_words(page.url))
        lifeline.tell_progress()
        lifeline.wait()
