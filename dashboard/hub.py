"""Where one feed of analyses meets many pages."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.alert import Severity
from dashboard.alert_rules import AlertRules
from dashboard.alert_words import line
from dashboard.alerts import with_alerts
from dashboard.manifold import DrawManifold, Manifolds, no_decoder
from dashboard.missing import Missing
from dashboard.notebook import Notebook
from dashboard.snapshot import (
    Arrival,
    Link,
    LinkState,
    Progress,
    Reach,
    Run,
    Snapshot,
    with_end,
    with_frame,
    with_link,
    with_lost,
    with_notes,
    with_notice,
    with_progress,
    with_reach,
    with_records,
    with_runs,
    with_service,
)
from streamer.analysis import Analysis
from streamer.frame import Stream
from streamer.service_state import ServiceState
from streamer.session.notes import written_note

log = logging.getLogger("dashboard")

SCENE_BYTES = 512 * 2**20
"""Memory for the frames that pages can scrub back to, all channels together."""


@dataclass(frozen=True, slots=True)
class Paint:
    """A viewer has seen a frame that was new."""

    seq: int
    arrived_s: float
    painted_s: float
    """Both on the hub's clock; until the browser's word of it was here."""

    @property
    def took_s(self) -> float:
        """From the arrival of its analysis on."""
        return self.painted_s - self.arrived_s


class Hub:
    """Takes analyses from the threads of feeds and hands snapshots to any thread.

    Numbers are worked out once, on the thread of a feed, or when the first page asks
    for them where not every viewer wants them (`Trends`). Pages are only told that
    there is something new; each takes the newest snapshot when it is ready for it, so
    that a slow page skips frames and holds up nobody.

    Parameters
    ----------
    origin
        Where the feed's analyses come from, in words for the page.
    clock
        Monotonic seconds.
    scene_bytes
        Memory for the frames that pages can scrub back to.
    draw_manifold
        Draws what a model's latents mean, when a page asks for it.
    rules
        What is alerted of, on the pages and in the log.
    wall_s
        Seconds since 1970 UTC.
    notebook
        Keeps what viewers write; by default in memory.
    """

    def __init__(
        self,
        origin: str,
        clock: Callable[[], float],
        scene_bytes: int = SCENE_BYTES,
        draw_manifold: DrawManifold = no_decoder,
        *,
        rules: AlertRules | None = None,
        wall_s: Callable[[], float] = time.time,
        notebook: Notebook | None = None,
    ) -> None:
        self.clock = clock
        self.manifolds = Manifolds(draw_manifold, self._tell)
        self.rules = rules or AlertRules()
        self._wall_s = wall_s
        self._scene_bytes = scene_bytes
        self._snapshot = Snapshot(Link(origin))
        self._paints_watched: list[Callable[[Paint], None]] = []
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._writing = threading.RLock()
        # Of its own: frames do not wait for a disk that takes its time with a note.
        self._noting = threading.Lock()
        self._notebook = notebook or Notebook()
        self.look_for_notes()

    @property
    def snapshot(self) -> Snapshot:
        """The present state; what was handed out never changes."""
        return self._snapshot

    def add(self, analysis: Analysis, age_s: float = 0.0) -> None:
        """Show one more frame, which was published `age_s` ago."""
        arrival, size = Arrival(self.clock(), age_s), self._scene_bytes
        self._change(lambda shown: with_frame(shown, analysis, arrival, size))

    def fill(
        self, stream: Stream, analyses: Sequence[Analysis], *, counted: bool
    ) -> None:
        """Have older frames of `stream` in the plots over frames.

        With `counted`, by their atoms; else they have none here, and the histograms of
        their summaries stand in.
        """
        self._change(
            lambda shown: with_records(shown, stream, analyses, counted=counted)
        )

    def set_reach(self, stream: Stream, on_disk: Reach) -> None:
        """Say which frames of a stream can be read from a session."""
        self._change(lambda shown: with_reach(shown, stream, on_disk))

    def set_runs(self, runs: Mapping[str, tuple[Run, ...]]) -> None:
        """Say which runs of each channel can be read from a session."""
        self._change(lambda shown: with_runs(shown, runs))

    def set_progress(self, progress: Progress | None) -> None:
        """Say how far the reading of a session has come; None when it is done."""
        self._change(lambda shown: with_progress(shown, progress))

    def lose(self, stream: Stream, missing: Missing) -> None:
        """Show and count frames that will never come."""
        self._change(lambda shown: with_lost(shown, stream, missing))

    def end(self, stream: Stream) -> None:
        """Say that no more frames will come of a stream."""
        self._change(lambda shown: with_end(shown, stream))

    def set_link(self, state: LinkState, words: str = "") -> None:
        """Say how things stand with the feed."""
        self._change(lambda shown: with_link(shown, state, words))

    def warn(self, url: str, notice: str | None) -> None:
        """Show what a service wants people to know, until it says None."""
        self._change(lambda shown: with_notice(shown, url, notice))

    def report(self, url: str, state: ServiceState | None) -> None:
        """Show how a service stands; None: it does not say any more."""
        self._change(lambda shown: with_service(shown, url, state))

    def look(self) -> None:
        """See whether time alone is a reason for an alert, or ends one."""
        self._change(lambda shown: shown)

    def note(self, stream_id: str, seq: int, text: str) -> None:
        """Keep and show what a viewer wrote about a frame; nothing if it is blank."""
        note = written_note(stream_id, seq, text, time.time_ns())
        if note is not None:
            with self._noting:
                self._notebook.write(note)
                self._show_notes()

    def look_for_notes(self) -> None:
        """Show what other dashboards of the same session wrote."""
        with self._noting:
            self._notebook.look()
            self._show_notes()

    def paint(self, paint: Paint) -> None:
        """A viewer has seen a frame that was new."""
        for seen in self._paints_watched:
            seen(paint)

    def watch_paints(self, seen: Callable[[Paint], None]) -> None:
        """Call `seen`, on the thread of the pages, with each from now on."""
        self._paints_watched.append(seen)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, on any thread, whenever there is a new snapshot.

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

    def _show_notes(self) -> None:
        notes, kept = self._notebook.notes, self._notebook.words
        self._change(lambda known: with_notes(known, notes, kept))

    def _change(self, change: Callable[[Snapshot], Snapshot]) -> None:
        # Threads of feeds, pages and notes change it in turn; rebinding a reference is
        # atomic, so that those who read need no lock.
        with self._writing:
            before = self._snapshot
            now_s, wall_s = self.clock(), self._wall_s()
            after = with_alerts(change(before), self.rules, now_s, wall_s)
            if after is before:
                return
            self._snapshot = after
            log_changes(before, after)
        self._tell()

    def _tell(self) -> None:
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
