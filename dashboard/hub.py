"""Where one feed of analyses meets many pages."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dashboard.missing import Missing
from dashboard.notebook import Notebook
from dashboard.snapshot import (
    Link,
    LinkState,
    Snapshot,
    with_end,
    with_frame,
    with_link,
    with_lost,
    with_notes,
    with_notice,
)
from streamer.analysis import Analysis
from streamer.frame import Stream
from streamer.session.notes import written_note

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

    Numbers are worked out once, on the feed's thread, or when the first page asks for
    them where not every viewer wants them (`Trends`). Pages are only told that there
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
    notebook
        Keeps what viewers write; by default in memory.
    """

    def __init__(
        self,
        origin: str,
        clock: Callable[[], float],
        scene_bytes: int = SCENE_BYTES,
        notebook: Notebook | None = None,
    ) -> None:
        self.clock = clock
        self._scene_bytes = scene_bytes
        self._snapshot = Snapshot(Link(origin))
        self.paints: deque[Paint] = deque(maxlen=PAINTS)
        """The newest, of all pages together."""
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._changing = threading.RLock()
        self._notebook = notebook or Notebook()
        self.look_for_notes()

    @property
    def snapshot(self) -> Snapshot:
        """The present state; what was handed out never changes."""
        return self._snapshot

    def add(self, analysis: Analysis) -> None:
        """Show one more frame."""
        now_s, most = self.clock(), self._scene_bytes
        self._show(lambda known: with_frame(known, analysis, now_s, most))

    def lose(self, stream: Stream, missing: Missing) -> None:
        """Show and count frames that will never come."""
        self._show(lambda known: with_lost(known, stream, missing))

    def end(self, stream: Stream) -> None:
        """Say that no more frames will come of a stream."""
        self._show(lambda known: with_end(known, stream))

    def set_link(self, state: LinkState, words: str = "") -> None:
        """Say how things stand with the feed."""
        self._show(lambda known: with_link(known, state, words))

    def warn(self, url: str, notice: str | None) -> None:
        """Show what a service wants people to know, until it says None."""
        self._show(lambda known: with_notice(known, url, notice))

    def note(self, stream: Stream, seq: int, text: str) -> None:
        """Keep and show what a viewer wrote about a frame; nothing if it is blank."""
        note = written_note(stream.id, seq, text, time.time_ns())
        if note is not None:
            with self._changing:
                self._notebook.write(note)
                self._show_notes()

    def look_for_notes(self) -> None:
        """Show what other dashboards of the same session wrote."""
        with self._changing:
            self._notebook.look()
            self._show_notes()

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
        self._show(lambda known: with_notes(known, notes, kept))

    def _show(self, change: Callable[[Snapshot], Snapshot]) -> None:
        # The feed's thread, those of pages and that of the notes change it in turn.
        with self._changing:
            snapshot = change(self._snapshot)
            if snapshot is self._snapshot:
                return
            # Rebinding a reference is atomic: readers need no lock.
            self._snapshot = snapshot
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()
