"""Where one feed of analyses meets many pages."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dashboard.alert import Severity
from dashboard.alert_rules import AlertRules
from dashboard.alert_words import line
from dashboard.alerts import with_alerts
from dashboard.snapshot import (
    Link,
    LinkState,
    Snapshot,
    with_end,
    with_frame,
    with_link,
    with_lost,
    with_notice,
    with_service,
)
from streamer.analysis import Analysis
from streamer.frame import Stream
from streamer.service_state import ServiceState

log = logging.getLogger("dashboard")

SCENE_BYTES = 384 * 2**20
"""Memory for the frames that pages can scrub back to, all channels together."""


PAINTS = 1000
"""Of which it is remembered how long they took."""


@dataclass(frozen=True, slots=True)
class Paint:
    """A viewer has seen a frame that was new."""

    seq: int
    arrived_s: float
    painted_s: float
    """Both on the hub's clock; until the browser's word of it was here."""


class Hub:
    """Takes analyses from the thread of a feed and hands snapshots to any thread.

    Numbers are worked out once, on the feed's thread. Pages are only told that there
    is something new; each takes the newest snapshot when it is ready for it, so that
    a slow page skips frames and holds up nobody.

    Parameters
    ----------
    origin
        Where the feed's analyses come from, in words for the page.
    clock
        Monotonic seconds.
    scene_bytes
        Memory for the frames that pages can scrub back to.
    rules
        What is alerted of, on the pages and in the log.
    wall_s
        Seconds since 1970 UTC.
    """

    def __init__(
        self,
        origin: str,
        clock: Callable[[], float],
        scene_bytes: int = SCENE_BYTES,
        *,
        rules: AlertRules | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self.rules = rules or AlertRules()
        self._wall_s = wall_s
        self._scene_bytes = scene_bytes
        self._snapshot = Snapshot(Link(origin))
        self.paints: deque[Paint] = deque(maxlen=PAINTS)
        """The newest, of all pages together."""
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @property
    def snapshot(self) -> Snapshot:
        """The present state; what was handed out never changes."""
        return self._snapshot

    def add(self, analysis: Analysis) -> None:
        """Show one more frame."""
        now_s = self.clock()
        self._show(with_frame(self._snapshot, analysis, now_s, self._scene_bytes))

    def lose(self, stream: Stream, frames: int) -> None:
        """Count frames that will never come."""
        self._show(with_lost(self._snapshot, stream, frames))

    def end(self, stream: Stream) -> None:
        """Say that no more frames will come of a stream."""
        self._show(with_end(self._snapshot, stream))

    def set_link(self, state: LinkState, words: str = "") -> None:
        """Say how things stand with the feed."""
        self._show(with_link(self._snapshot, state, words))

    def warn(self, url: str, notice: str | None) -> None:
        """Show what a service wants people to know, until it says None."""
        self._show(with_notice(self._snapshot, url, notice))

    def report(self, url: str, state: ServiceState | None) -> None:
        """Show how a service stands; None: it does not say any more."""
        self._show(with_service(self._snapshot, url, state))

    def look(self) -> None:
        """See whether time alone is a reason for an alert, or ends one."""
        self._show(self._snapshot)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, on the feed's thread, whenever there is a new snapshot.

        Returns
        -------
        A function that ends this.
        """
        with self._lock:
            self._listeners.append(listener)

        def leave() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return leave

    @property
    def listeners(self) -> int:
        """How many listen at present."""
        with self._lock:
            return len(self._listeners)

    def _show(self, snapshot: Snapshot) -> None:
        snapshot = with_alerts(snapshot, self.rules, self.clock(), self._wall_s())
        log_changes(self._snapshot, snapshot)
        if snapshot is self._snapshot:
            return
        # One thread writes, and rebinding a reference is atomic: readers need no lock.
        self._snapshot = snapshot
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()


def log_changes(before: Snapshot, now: Snapshot) -> None:
    """Log which alerts begin, and which are over."""
    known = {alert.id for alert in before.alerts}
    standing = {alert.id for alert in now.alerts}
    for alert in now.alerts:
        if alert.id not in known:
            level = logging.ERROR if alert.severity is Severity.BAD else logging.WARNING
            log.log(level, "alert: %s", line(alert, now))
    for alert in before.alerts:
        if alert.id not in standing:
            log.warning("over: %s", line(alert, before))
