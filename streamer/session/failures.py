"""What goes wrong with a folder on a disk, said in one line."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer.errors import FrameError, SessionError, StorageError

NONSENSE = (
    ValueError, TypeError, LookupError, RecursionError, MemoryError, FrameError,
)  # fmt: skip
"""What comes of values that we never write."""


def one_line(error: object) -> str:
    """What an error says, in one line of bounded length."""
    text = " ".join(str(error).split())
    return f"{text[:300]} …" if len(text) > 300 else text


@contextmanager
def session_failures(folder: Path) -> Iterator[None]:
    """Block in which whatever the disk or the index refuses becomes a `SessionError`.

    Raises
    ------
    StorageError
        Disk full, no permission, a file that is gone, an index held by others for
        too long.
    SessionError
        An index that is damaged.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise StorageError(f"{where}: {one_line(error.strerror or error)}") from error
    except sqlite3.OperationalError as error:
        raise StorageError(
            f"{folder}: the session's index cannot be used: {one_line(error)}"
        ) from error
    # A damaged index may even have damaged texts in its error messages.
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise SessionError(
            f"{folder}: the session's index cannot be used: {one_line(error)}"
        ) from error


@contextmanager
def reading(what: Path) -> Iterator[None]:
    """Block in which a file, or an index, that makes no sense becomes a `SessionError`.

    Raises
    ------
    SessionError
        As for `session_failures`, or what was read is not what we write.
    """
    with session_failures(what):
        try:
            yield
        except NONSENSE as error:
            raise SessionError(f"{what} is damaged: {one_line(error)}") from error
