"""Files that are there whole and for good, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Temporary path whose file takes the place of `path` when the block ends.

    By then it is on the disk, not only in the system's memory. When the block raises,
    `path` stays as it was and nothing is left behind.
    """
    # A leading dot hides the file from readers of the folder as one dataset.
    temporary = path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
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
    try:
        path.write_bytes(bytes(nbytes))
        _flush(path)
    finally:
        path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Create a folder, and those above it, for good; fine when it is there.

    Raises
    ------
    OSError
        No permission, or a file of that name.
    """
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        _flush(path.parent)


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no folders, and writes their names through.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
