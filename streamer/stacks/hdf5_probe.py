"""A first look at an HDF5 file, as a program of its own that may be lost.

It needs nothing but h5py, and says by its exit code whether the HDF5 library, which is
C, gets through the file: that it refuses the file is fine, that it does not return is
not.
"""

import math
import sys
from contextlib import suppress
from pathlib import Path

import h5py

REFUSALS = (OSError, ValueError, TypeError, KeyError, RuntimeError)
"""What h5py raises; the reader will come to the same words."""


MAX_CHUNK_BYTES = 2**29
"""Of numbers that are packed together; writers make them of a megabyte or a frame."""


def chunk_bytes(dataset: h5py.Dataset) -> int:
    """Bytes that must be unpacked at once to read any number of an array."""
    return int(math.prod(dataset.chunks or (0,)) * dataset.dtype.itemsize)


def look_through(path: Path) -> None:
    """Read all attributes, the places of all chunks, and some numbers of each array."""
    with suppress(*REFUSALS), h5py.File(path, "r") as file:
        file.visititems(_look_at)


def _look_at(_name: str, thing: h5py.HLObject) -> None:
    with suppress(*REFUSALS):
        dict(thing.attrs)
    if isinstance(thing, h5py.Dataset) and thing.shape:
        with suppress(*REFUSALS):
            if thing.chunks:
                thing.id.chunk_iter(lambda _place: None)
            elsewhere = thing.external or thing.is_virtual
            if not elsewhere and chunk_bytes(thing) <= MAX_CHUNK_BYTES:
                thing[(0,) * (thing.ndim - 1)]


if __name__ == "__main__":
    look_through(Path(sys.argv[1]))
