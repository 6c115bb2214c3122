"""What sources report, in the log and among the session's events."""

import logging
from collections.abc import Callable

from atomstream.flood import Flood
from atomstream.words import event_in_words
from streamer.events import Event, Received, Rejected, Stands
from streamer.session.journal import Journal

LOG = "receive"


class Telling:
    """Tells of each event, and of a flood how it begins and how many there were.

    Parameters
    ----------
    journal
        Of the session.
    clock
        Monotonic seconds.
    """

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._flood: Flood[str] = Flood(clock)

    def tell(self, event: Event) -> None:
        """Say that it happened, unless that is said for each frame elsewhere."""
        # How a source stands may be another thing at every heartbeat.
        if isinstance(event, Received | Stands):
            return
        kind = type(event).__name__.lower()
        if not self._flood.admits(kind):
            return
        text = event_in_words(event)
        if self._flood.is_full(kind):
            text += "; more of the kind, in this minute, are only counted"
        level = logging.WARNING if isinstance(event, Rejected) else logging.INFO
        # A name for each kind: a flood of one does not keep back another.
        logging.getLogger(f"{LOG}.{kind}").log(level, "%s", text)
        self._journal.note(kind, text)

    def look(self, *, at_once: bool = False) -> None:
        """Say how many there were of what was a flood, when its minute is over."""
        for kind, count in self._flood.over(at_once=at_once):
            if kind:
                text = f"{count} more of the kind in a minute"
                logging.getLogger(f"{LOG}.flood").warning("%s: %s", kind, text)
                self._journal.note(kind, text)
