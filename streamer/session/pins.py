"""Sessions that are kept whatever the quotas say: a file in the folder says so."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from streamer.errors import SessionError
from streamer.session.creation import LOCK_NAME
from streamer.session.durable import flush, write_file
from streamer.session.failures import session_failures
from streamer.session.index import BUSY_S, open_index

PIN_NAME = ".pinned"


def is_pinned(folder: Path) -> bool:
    """Whether a session is to be kept."""
    return os.path.lexists(folder / PIN_NAME)


def pin(folder: Path, now_ns: int) -> None:
    """Have a session kept, whether a service is at work on it or not.

    Parameters
    ----------
    now_ns
        Since 1970 UTC, for who opens the file.

    Raises
    ------
    SessionError
        No session, or it cannot be written to.
    """
    moment = datetime.fromtimestamp(now_ns // 10**9, UTC)
    with _there(folder):
        write_file(folder / PIN_NAME, f"pinned {moment:%Y-%m-%d %H:%M} UTC\n".encode())


def unpin(folder: Path) -> bool:
    """Leave a session to the quotas again; whether it was pinned.

    Raises
    ------
    SessionError
        No session, or it cannot be written to.
    """
    with _there(folder):
        was_pinned = is_pinned(folder)
        (folder / PIN_NAME).unlink(missing_ok=True)
        flush(folder)
    return was_pinned


@contextmanager
def _there(folder: Path) -> Iterator[None]:
    """Block in which a session is not removed."""
    open_index(folder, writing=False).close()
    with session_failures(folder), FileLock(folder / LOCK_NAME, timeout=BUSY_S):
        if not (folder / LOCK_NAME).exists():
            raise SessionError(f"{folder} was removed just now")
        yield
