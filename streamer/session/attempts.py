"""Frames whose analysis was begun and not finished, and those that are set aside.

All but `retry` are to be called within a transaction; frames are numbers of the index.
"""

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from pathlib import Path

from streamer.session.failures import session_failures
from streamer.session.index import open_index, transaction
from streamer.session.writing import insert_event


def begin(connection: sqlite3.Connection, frames: Iterable[int]) -> None:
    """Count one more try of each."""
    connection.executemany(
        "INSERT INTO attempts (frame, tries) VALUES (?, 1) "
        "ON CONFLICT (frame) DO UPDATE SET tries = tries + 1",
        [(frame,) for frame in frames],
    )


def take_back(connection: sqlite3.Connection, frames: Iterable[int]) -> None:
    """Count one try less of each."""
    marks = [(frame,) for frame in frames]
    connection.executemany(
        "UPDATE attempts SET tries = tries - 1 WHERE frame = ?", marks
    )
    connection.executemany("DELETE FROM attempts WHERE frame = ? AND tries <= 0", marks)


def forget(connection: sqlite3.Connection, frames: Iterable[int]) -> None:
    """Whatever was noted of these is of no concern any more."""
    connection.executemany(
        "DELETE FROM attempts WHERE frame = ?", [(frame,) for frame in frames]
    )


def set_aside(
    connection: sqlite3.Connection, frames: Iterable[int], reason: str
) -> None:
    """Note why these are not to be analysed."""
    connection.executemany(
        "INSERT INTO attempts (frame, tries, reason) VALUES (?, 0, ?) "
        "ON CONFLICT (frame) DO UPDATE SET reason = excluded.reason",
        [(frame, reason) for frame in frames],
    )


def retry(folder: Path, seqs: Collection[int], now_ns: int) -> int:
    """Have frames that are set aside analysed after all, now or by the next service.

    Parameters
    ----------
    seqs
        Numbers of frames, in whichever stream; none for all that are set aside.
    now_ns
        Since 1970 UTC, for the session's events.

    Returns
    -------
    How many there are.

    Raises
    ------
    SessionError
        No session, or it cannot be written to.
    """
    with (
        session_failures(folder),
        closing(open_index(folder, writing=True)) as connection,
        transaction(connection),
    ):
        frames = _aside(connection, seqs)
        forget(connection, frames)
        if frames:
            text = f"{len(frames)} frames that were set aside are tried again"
            insert_event(connection, now_ns, "retry", text)
    return len(frames)


def _aside(connection: sqlite3.Connection, seqs: Collection[int]) -> list[int]:
    rows = connection.execute(
        "SELECT frame, seq FROM attempts JOIN frames ON number = frame "
        "WHERE reason IS NOT NULL"
    ).fetchall()
    return [frame for frame, seq in rows if not seqs or seq in seqs]
