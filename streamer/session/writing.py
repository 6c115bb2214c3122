"""What the two services that write to a session have in common."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from streamer.session.creation import create_session
from streamer.session.durable import TEMPORARY_SUFFIX
from streamer.session.failures import session_failures
from streamer.session.index import open_index, transaction
from streamer.session.layout import Layout, is_ours
from streamer.session.roles import Role, role_taken


@contextmanager
def index_for(
    folder: Path, role: Role, wait_s: float = 0
) -> Iterator[sqlite3.Connection]:
    """Index of the session, created if need be, for the one service of this role.

    Parameters
    ----------
    wait_s
        How long another process may take to give the role up.

    Raises
    ------
    SessionError
        The folder cannot be used, or another process has the role.
    """
    create_session(folder)
    with (
        session_failures(folder),
        closing(open_index(folder, writing=True)) as connection,
        role_taken(folder, role, connection, wait_s),
    ):
        yield connection


def sha256(data: bytes) -> str:
    """Checksum of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def commit_event(
    connection: sqlite3.Connection, time_ns: int, kind: str, text: str
) -> None:
    """Write down that something happened to the session."""
    with transaction(connection):
        insert_event(connection, time_ns, kind, text)


def insert_event(
    connection: sqlite3.Connection, time_ns: int, kind: str, text: str
) -> None:
    """Write down, within a transaction, that something happened."""
    connection.execute(
        "INSERT INTO events (time_ns, kind, text) VALUES (?, ?, ?)",
        (time_ns, kind, text),
    )


def frame_number(
    connection: sqlite3.Connection, stream_id: str, seq: int
) -> tuple[int, int] | None:
    """(number of the stream, number of the frame) of a committed frame."""
    row: tuple[int, int] | None = connection.execute(
        "SELECT streams.number, frames.number FROM frames "
        "JOIN streams ON streams.number = stream WHERE id = ? AND seq = ?",
        (stream_id, seq),
    ).fetchone()
    return row


def remove_unfinished(folder: Path, committed: set[Path]) -> None:
    """Remove what a killed service left: temporary files, files that no row names.

    Parameters
    ----------
    folder
        Of frames or of atoms; files with names that we do not give stay.
    committed
        Files that the index names.
    """
    for path in folder.iterdir():
        temporary = path.suffix == TEMPORARY_SUFFIX
        if temporary or (is_ours(path) and path not in committed):
            path.unlink()


def committed_files(connection: sqlite3.Connection, layout: Layout) -> set[Path]:
    """Files of frames and of atoms that the index names."""
    frames = connection.execute("SELECT stream, seq FROM frames")
    analyses = connection.execute(
        "SELECT stream, seq FROM analyses JOIN frames ON frames.number = frame"
    )
    return {layout.frame(*row) for row in frames} | {
        layout.table(*row) for row in analyses
    }
