"""A new session folder, or one that is there already."""

import sqlite3
from contextlib import closing
from pathlib import Path

from filelock import FileLock

from streamer.errors import SessionError
from streamer.session.durable import make_folder
from streamer.session.failures import session_failures
from streamer.session.index import (
    BUSY_S,
    check_folder,
    check_own_files,
    check_version,
    connect,
    pragma,
    transaction,
)
from streamer.session.layout import INDEX_NAME, Layout
from streamer.session.tables import ADDED, APPLICATION_ID, TABLES, VERSION

LOCK_NAME = ".creation.lock"


def create_session(folder: Path) -> None:
    """Make an empty folder, or none at all, a session; fine when it is one already.

    One of an earlier version gets the columns that have come since.

    Any number of processes may do so at once, and be killed at it.

    Raises
    ------
    SessionError
        A file, a folder with other things in it, no permission, a session of a
        newer version.
    """
    layout = Layout(folder)
    with session_failures(folder):
        _check_place(layout)
        make_folder(layout.frames)
        make_folder(layout.atoms)
        # One process at a time: SQLite does not wait for others to change the journal.
        with (
            FileLock(folder / LOCK_NAME, timeout=BUSY_S),
            closing(connect(folder, "rwc")) as connection,
        ):
            _create_tables(connection)
            check_version(folder, connection)
            _add_what_is_new(connection)


def _check_place(layout: Layout) -> None:
    folder = layout.folder
    if not folder.exists():
        return
    check_folder(folder)
    check_own_files(folder)
    ours = {"frames", "atoms", LOCK_NAME}
    others = {path.name for path in folder.iterdir()} - ours
    if others and INDEX_NAME not in others:
        raise SessionError(
            f"{folder} is a folder with other things in it (“{min(others)}”); "
            "a session needs a folder of its own"
        )


def _create_tables(connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        return
    # Readers and a writer do not wait for each other; the file remembers it.
    connection.execute("PRAGMA journal_mode = WAL")
    with transaction(connection):
        for table in TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _add_what_is_new(connection: sqlite3.Connection) -> None:
    for version in range(pragma(connection, "user_version") + 1, VERSION + 1):
        with transaction(connection):
            for statement in ADDED[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")
