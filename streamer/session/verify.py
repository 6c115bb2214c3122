"""Whether a session is whole: every file there, equal to what was written, no other."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from streamer.session.durable import own_file
from streamer.session.failures import reading
from streamer.session.index import open_index
from streamer.session.layout import Layout
from streamer.session.ledger import contradicted, unaccounted
from streamer.session.reader import SessionReader
from streamer.session.records import AttemptRecord, GapRecord, Totals
from streamer.session.writing import committed_files

FILES = """
    SELECT 'frame', stream, seq, bytes, sha256 FROM frames
    UNION ALL
    SELECT 'analysis', stream, seq, analyses.bytes, analyses.sha256
        FROM analyses JOIN frames ON frames.number = frame
    ORDER BY stream, seq
"""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a session."""

    totals: Totals
    gaps: tuple[GapRecord, ...]
    """Known losses: they are part of a whole session."""
    aside: tuple[AttemptRecord, ...]
    """Frames that are known and not analysed, with the reason."""
    problems: tuple[str, ...]
    """One line each; none if the session is whole."""

    @property
    def whole(self) -> bool:
        """Whether everything that was committed is there and unchanged."""
        return not self.problems


def verify(
    folder: Path, progress: Callable[[int, int], None] | None = None
) -> Verification:
    """Compare every file of a session with its size and checksum in the index.

    Parameters
    ----------
    progress
        Is told (files checked, files there are) after each.

    Raises
    ------
    SessionError
        The session cannot be opened.
    """
    # The files first: what is committed meanwhile must not count as unknown.
    present = _present(folder)
    with SessionReader(folder) as session:
        totals, gaps = session.totals(), tuple(session.gaps())
        aside = tuple(session.set_aside())
        missed = list(_missed(session))
    with closing(open_index(folder, writing=False)) as connection:
        problems = [
            *_index_problems(folder, connection),
            *_file_problems(folder, connection, progress or _untold),
            *_strays(folder, connection, present),
            *missed,
        ]
    return Verification(totals, gaps, aside, tuple(problems))


def _untold(_checked: int, _files: int) -> None:
    """Take the place of a progress that nobody asked for."""


def _present(folder: Path) -> set[Path]:
    layout = Layout(folder)
    folders = [path for path in (layout.frames, layout.atoms) if path.is_dir()]
    with reading(folder):
        return {path for inside in folders for path in inside.iterdir()}


def _index_problems(folder: Path, connection: sqlite3.Connection) -> Iterator[str]:
    with reading(Layout(folder).index):
        for (line,) in connection.execute("PRAGMA quick_check").fetchall():
            if line != "ok":
                yield f"the index is damaged: {line}"


def _file_problems(
    folder: Path, connection: sqlite3.Connection, progress: Callable[[int, int], None]
) -> Iterator[str]:
    layout = Layout(folder)
    with reading(layout.index):
        files = connection.execute(FILES).fetchall()
    for checked, (kind, stream, seq, size, checksum) in enumerate(files, start=1):
        path = (layout.frame if kind == "frame" else layout.table)(stream, seq)
        problem = _problem(path, size, checksum)
        if problem:
            yield f"{path.relative_to(folder)}: {problem}"
        progress(checked, len(files))


def _problem(path: Path, size: int, checksum: str) -> str | None:
    try:
        with own_file(path) as file:
            there = os.fstat(file.fileno()).st_size
            if there != size:
                return f"has {there} bytes, {size} were written"
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "is not there"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if found == checksum else "has other content than was written"


def _strays(
    folder: Path, connection: sqlite3.Connection, present: set[Path]
) -> Iterator[str]:
    with reading(Layout(folder).index):
        committed = committed_files(connection, Layout(folder))
    for path in sorted(present - committed):
        # A service that is at work has just renamed or removed it.
        if path.exists():
            yield f"{path.relative_to(folder)}: no frame or analysis names it"


def _missed(session: SessionReader) -> Iterator[str]:
    gaps = session.gaps()
    for record in session.streams():
        stream_id = record.stream.id
        seqs = [frame.seq for frame in session.frames(stream_id)]
        given_up = [(g.first, g.last) for g in gaps if g.stream_id == stream_id]
        for first, last in unaccounted(seqs, given_up, record.total):
            yield (
                f"stream {stream_id}: frames {first} to {last} are neither here "
                "nor in the ledger of gaps"
            )
        for first, last in contradicted(seqs, given_up):
            yield (
                f"stream {stream_id}: of frames {first} to {last}, which the ledger of "
                "gaps says are lost, some are here"
            )
