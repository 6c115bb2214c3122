"""Where the notes of viewers are kept."""

import logging
import threading
from pathlib import Path
from typing import Protocol, Self

from streamer.errors import StorageError
from streamer.session.notes import (
    MOST_NOTES,
    NOTES_NAME,
    Note,
    Notes,
    append_note,
    notes_state,
    read_notes,
)

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""How often to look for what other dashboards have written."""


class Notebook:
    """Notes in the folder of a session, or in memory where there is none.

    May be used by one thread at a time.

    Parameters
    ----------
    folder
        A session, whose file of notes may be written by other dashboards too.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._state: tuple[int, int] | None = None
        self._on_disk = Notes()
        self._unkept: tuple[Note, ...] = ()
        self._problem = ""

    @property
    def notes(self) -> tuple[Note, ...]:
        """All that are known, in the order in which they were written."""
        known = (*self._on_disk.notes, *self._unkept)
        return tuple(sorted(known, key=lambda note: note.time_ns))[-MOST_NOTES:]

    @property
    def words(self) -> str:
        """Where they are kept, and what is wrong with that."""
        if self._folder is None:
            return "kept until this dashboard stops: it has no session folder"
        words = [f"kept in {self._folder / NOTES_NAME}"]
        if self._unkept:
            words = [f"{len(self._unkept)} NOT KEPT on disk", self._problem]
        if self._on_disk.skipped:
            words.append(f"{self._on_disk.skipped} lines there are no notes")
        return " · ".join(filter(None, [*words, self._on_disk.problem]))

    def write(self, note: Note) -> None:
        """Keep one more; in memory if the disk does not take it, which `words` say."""
        try:
            if self._folder is not None:
                append_note(self._folder, note)
                self.look()
                return
        except StorageError as error:
            log.warning("%s", error)
            self._problem = str(error)
        self._unkept = (*self._unkept, note)[-MOST_NOTES:]

    def look(self) -> bool:
        """Read what is new in the folder; whether there was anything."""
        if self._folder is None:
            return False
        state = notes_state(self._folder)
        if state == self._state:
            return False
        self._state = state
        self._on_disk = read_notes(self._folder)
        return True


class HasNotes(Protocol):
    """Whoever shows notes."""

    def look_for_notes(self) -> None:
        """Show what others have written."""


class NotesFollowed:
    """Block in which `hub` is told now and then to look for new notes."""

    def __init__(self, hub: HasNotes) -> None:
        self._hub = hub
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="notes")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _follow(self) -> None:
        self._hub.look_for_notes()
        while not self._stopping.wait(LOOK_S):
            self._hub.look_for_notes()
