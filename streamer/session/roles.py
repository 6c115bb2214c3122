"""Who may write to a session: one service of each role."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from streamer.errors import SessionError
from streamer.session.index import transaction


class Role(StrEnum):
    """What a service writes."""

    SERVICE = "service"
    """Nothing itself: its processes do."""
    RECORDER = "recorder"
    """Streams, frames, gaps and ends."""
    ANALYSER = "analyser"
    """Analyses."""


@contextmanager
def role_taken(
    folder: Path, role: Role, connection: sqlite3.Connection, wait_s: float = 0
) -> Iterator[None]:
    """Block in which no other process has this role in this session.

    The operating system ends it when the process dies, however it dies.

    Parameters
    ----------
    wait_s
        How long another process may take to give the role up.

    Raises
    ------
    SessionError
        Another process has the role.
    """
    lock = FileLock(folder / f".{role}.lock", timeout=0, thread_local=False)
    try:
        lock.acquire(timeout=wait_s)
    except Timeout:
        raise SessionError(
            f"{folder} is in use: it has a {role} already"
            f"{_holder(role, connection)}; stop that one or take another folder"
        ) from None
    try:
        # The lock is what counts; who has it is said as long as the disk takes it.
        with suppress(sqlite3.OperationalError), transaction(connection):
            connection.execute(
                "INSERT OR REPLACE INTO services (role, pid) VALUES (?, ?)",
                (role, os.getpid()),
            )
        yield
    finally:
        lock.release()


def is_taken(folder: Path, role: Role) -> bool:
    """Whether a process has a role in a session now."""
    path = folder / f".{role}.lock"
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0, thread_local=False):
            return False
    except (Timeout, OSError):
        return True


def _holder(role: Role, connection: sqlite3.Connection) -> str:
    """Process that has the role, as far as it has come to say so."""
    row = connection.execute(
        "SELECT pid FROM services WHERE role = ?", (role,)
    ).fetchone()
    return f" (process {row[0]})" if row else ""
