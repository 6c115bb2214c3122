"""The index of a session: an SQLite file that several processes use at once."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from streamer.errors import SessionError
from streamer.session.failures import session_failures
from streamer.session.layout import INDEX_NAME, Layout
from streamer.session.tables import APPLICATION_ID, LATE, TABLES, VERSION

FOLDERS = ("frames", "atoms", "models")
"""Of a session, in which files are written and removed."""
MAX_TEXT_BYTES = 2**24
"""Longest text of an index: ours have a few thousand."""
ODD_TABLES = """
    SELECT 1 FROM sqlite_schema WHERE type NOT IN ('table', 'index')
    UNION ALL
    SELECT 1 FROM pragma_table_list AS list, pragma_table_xinfo(list.name) AS col
        WHERE list.schema = 'main' AND list.name NOT GLOB 'sqlite_*'
            AND (list.type <> 'table' OR NOT strict OR hidden OR col.type = 'ANY')
"""
BUSY_S = 30.0
"""How long one process waits for another's commit, which takes milliseconds."""


def open_index(folder: Path, *, writing: bool) -> sqlite3.Connection:
    """Connection to the index of a session that is there.

    May be used by one thread at a time, whichever.

    Raises
    ------
    SessionError
        Not there, not a session, of a newer version, damaged.
    """
    _check_session(folder)
    with session_failures(folder):
        connection = connect(folder, "rw" if writing else "ro")
        try:
            check_version(folder, connection)
            _stand_in(connection)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Block whose changes are committed for good together, or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself when the disk is full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def insert_row(
    connection: sqlite3.Connection, table: str, values: Mapping[str, object]
) -> None:
    """Insert a row; the names are ours, the values anybody's."""
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


def connect(folder: Path, mode: str) -> sqlite3.Connection:
    """Connection to a session's index; `mode` is SQLite's: "ro", "rw" or "rwc".

    Raises
    ------
    sqlite3.Error
        Not to be opened, not a database.
    """
    index = Layout(folder).index
    if mode == "ro" and _is_archived(index):
        mode = "ro&immutable=1"
    connection = sqlite3.connect(
        f"{index.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _distrust(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        # A commit is on the disk when it returns.
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _distrust(connection: sqlite3.Connection) -> None:
    """Let nothing run that stands in the file: it may come from somebody else."""
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    for unused in (
        sqlite3.SQLITE_DBCONFIG_TRUSTED_SCHEMA,
        sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER,
        sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW,
    ):
        connection.setconfig(unused, False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_TEXT_BYTES)


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """Value of one of SQLite's whole-number settings or counters."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def has_table(connection: sqlite3.Connection, name: str) -> bool:
    """Whether there is a table of that name, temporary or not."""
    query = (
        "SELECT 1 FROM sqlite_master WHERE name = ? "
        "UNION SELECT 1 FROM sqlite_temp_master WHERE name = ?"
    )
    return connection.execute(query, (name, name)).fetchone() is not None


def check_version(folder: Path, connection: sqlite3.Connection) -> None:
    """Refuse an index that is not ours, or that a newer program has written.

    Raises
    ------
    SessionError
        Either.
    """
    version = pragma(connection, "user_version")
    if pragma(connection, "application_id") != APPLICATION_ID:
        raise SessionError(
            f"{folder} is a folder but not a session: "
            f"its {INDEX_NAME} was written by something else"
        )
    if version > VERSION:
        raise SessionError(
            f"{folder} is a session of version {version}, this program knows up to "
            f"{VERSION}: use a newer atomstream"
        )
    _check_tables(folder, connection)


def check_folder(folder: Path) -> None:
    """Refuse a session path that is a file.

    Raises
    ------
    SessionError
        It is one.
    """
    if not folder.is_dir():
        raise SessionError(f"{folder} is a file; a session is a folder")


def check_own_files(folder: Path) -> None:
    """Refuse a session whose files lie elsewhere: whoever made it may have meant yours.

    Raises
    ------
    SessionError
        The index, a folder of ours or a file that only we use is a link.
    """
    for path in folder.iterdir():
        ours = path.name in FOLDERS or path.name.startswith((INDEX_NAME, "."))
        if ours and path.is_symlink():
            raise SessionError(
                f"{path} is a link; a session keeps its files in its own folder"
            )


def _check_tables(folder: Path, connection: sqlite3.Connection) -> None:
    """Refuse an index whose tables could run something, or hold other types."""
    if connection.execute(ODD_TABLES).fetchone():
        raise SessionError(
            f"{folder} is no session that this program wrote: its {INDEX_NAME} has "
            "views, triggers or tables of another kind"
        )


def _check_session(folder: Path) -> None:
    with session_failures(folder):
        if not folder.exists():
            raise SessionError(f"{folder} does not exist")
        check_folder(folder)
        if not Layout(folder).index.is_file():
            raise SessionError(
                f"{folder} is a folder but not a session: it has no {INDEX_NAME}"
            )
        check_own_files(folder)


def _stand_in(connection: sqlite3.Connection) -> None:
    """Give this connection an empty table for each that an old session lacks."""
    for table in TABLES:
        name = table.split()[2]
        if name in LATE and not has_table(connection, name):
            connection.execute(table.replace("TABLE", "TEMPORARY TABLE", 1))


def _is_archived(index: Path) -> bool:
    """Whether nobody is writing, nor may: then SQLite must not want to either."""
    wal, shared = (index.with_name(f"{index.name}-{end}") for end in ("wal", "shm"))
    at_rest = not shared.exists() and not (wal.exists() and wal.stat().st_size)
    return at_rest and not os.access(index.parent, os.W_OK)
