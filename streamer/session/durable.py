"""Files that are there whole and for good, or not at all."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"
MAX_FILE_BYTES = 2**31 + 2**26
"""Of a file: the largest frame, and what is known of it."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Temporary path whose file takes the place of `path` when the block ends.

    By then it is on the disk, not only in the system's memory. When the block raises,
    `path` stays as it was and nothing is left behind.
    """
    # A leading dot hides the file from readers of the folder as one dataset.
    temporary = path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")
    # A link that lies there would be followed.
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        flush(temporary)
        temporary.replace(path)
        flush(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_file(path: Path, data: bytes) -> None:
    """Write `data` so that `path` holds all of it, through any crash, or is untouched.

    Raises
    ------
    OSError
        No space, no permission.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def probe(folder: Path, nbytes: int) -> None:
    """Try whether a file of this size can be written in a folder.

    Raises
    ------
    OSError
        It cannot.
    """
    path = folder / f".probe{TEMPORARY_SUFFIX}"
    path.unlink(missing_ok=True)
    try:
        path.write_bytes(bytes(nbytes))
        flush(path)
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def own_file(path: Path) -> Iterator[BufferedReader]:
    """A file of a session, to be read, which is no link, pipe or device.

    Raises
    ------
    OSError
        It is one of these, not there, or not to be read.
    """
    # Opening a pipe would wait for whoever writes to it.
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    binary = getattr(os, "O_BINARY", 0)
    with open(os.open(path, os.O_RDONLY | flags | binary), "rb") as file:  # noqa: PTH123 # a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a file", str(path))
        yield file


def read_own(path: Path, most_bytes: int) -> bytes:
    """Content of a file of a session.

    Raises
    ------
    OSError
        As for `own_file`.
    ValueError
        It has more than `most_bytes`.
    """
    with own_file(path) as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError(f"{path} has more than {most_bytes} bytes")
    return data


def make_folder(path: Path) -> None:
    """Create a folder, and those above it, for good; fine when it is there.

    Raises
    ------
    OSError
        No permission, or a file of that name.
    """
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        flush(path.parent)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders, and writes their names through.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
