"""The thread that a feed works in."""

import logging
import threading
from collections.abc import Callable

from dashboard.hub import Hub
from dashboard.snapshot import LinkState
from streamer.errors import AtomstreamError

log = logging.getLogger(__name__)

POLL_S = 0.2
"""How long it may take until a feed notices that it shall stop."""


class Follower:
    """Calls `follow` on a thread of its own; it returns when its event is set.

    When it fails instead, the pages of `hub` say so: they would seem live otherwise.
    """

    def __init__(self, hub: Hub, follow: Callable[[threading.Event], None]) -> None:
        self._hub = hub
        self._follow = follow
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Return when `follow` has returned."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._follow(self._stopping)
        except AtomstreamError as error:
            log.error("the dashboard is fed no more: %s", error)
            self._hub.set_link(LinkState.FAILED, str(error))
        except Exception as error:
            self._hub.set_link(LinkState.FAILED, f"{type(error).__name__}: {error}")
            raise
