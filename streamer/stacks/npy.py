"""NumPy files: an array (.npy), or several by name in a zip archive (.npz)."""

import io
import math
import os
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from streamer.errors import StackError
from streamer.session.acquisition import Acquisition
from streamer.stacks.flat import flat_images
from streamer.stacks.pixels import frame_axes, frame_dtype, is_plausible
from streamer.stacks.stack import UNKNOWN_CHANNEL, Recording, Selection, frames_of

SUFFIX = ".npy"
MAX_HEADER_BYTES = 65_536
MAX_EXPANSION = 100
"""Bytes that a byte of an archive may become where all must be read at once."""
MAX_WHOLE_BYTES = 2**32
"""Largest stack in Fortran order, whose frames are scattered over all of the file."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an NPY file says of its array before the numbers come."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    fortran: bool
    offset: int
    """Of the first number, in bytes."""

    @property
    def bytes(self) -> int:
        """Of all numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def open_npy(path: Path, selection: Selection) -> Recording:
    """One array, with no calibration.

    Raises
    ------
    StackError
        Not an NPY file, cut short, or not images.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        header = read_header(file, path.name)
        size = os.fstat(file.fileno()).st_size
        images = npy_images(file, header, size, path.name)
        return _recording(header, images, path.name, selection, (), stack)


def open_npz(path: Path, selection: Selection) -> Recording:
    """One of the arrays of an archive: the wanted one, or the only one of images.

    Raises
    ------
    StackError
        Not an NPZ file, no array of images, or several and none is wanted.
    """
    with ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        headers = _headers(archive)
        plausible = [
            name
            for name, header in headers.items()
            if is_plausible(header.shape, header.dtype)
        ]
        chosen = choose(selection.channel, plausible, list(headers), path.name)
        header = headers[chosen]
        member = archive.getinfo(f"{chosen}{SUFFIX}")
        file = stack.enter_context(archive.open(member))
        check_expansion(header, member.compress_size, path.name)
        images = npy_images(file, header, member.file_size, path.name)
        channels = tuple(plausible)
        return _recording(header, images, path.name, selection, channels, stack)


def npy_images(
    file: IO[bytes], header: Header, size: int, name: str
) -> Callable[[int], NDArray[np.generic]]:
    """Reader of the images of an open NPY file of `size` bytes.

    Raises
    ------
    StackError
        Cut short, or not images.
    """
    frame_dtype(header.dtype, name)
    axes = frame_axes(header.shape, name)
    if header.offset + header.bytes > size:
        raise StackError(
            f"{name} is cut short: {header.bytes} bytes of numbers were announced, "
            f"{max(0, size - header.offset)} are there"
        )
    if header.fortran:
        return _fortran_images(file, header, axes, name)
    return flat_images(file, header.offset, axes[1:], header.dtype, name)


def choose(
    wanted: str | None, images: list[str], everything: list[str], name: str
) -> str:
    """The array to be read among those of a file that does not say which it is.

    Raises
    ------
    StackError
        It is not there, or there are none or several and none is wanted.
    """
    if wanted in everything:
        return wanted
    if wanted is None and len(images) == 1:
        return images[0]
    there = ", ".join(everything[:20]) or "nothing"
    if wanted is not None:
        raise StackError(f"{name} has no array “{wanted}”; it has {there}")
    if not images:
        raise StackError(f"{name} holds no images; it has {there}")
    raise StackError(
        f"{name} has {len(images)} arrays that could be the frames: "
        f"{', '.join(images[:20])}; name one as the channel"
    )


def read_header(file: IO[bytes], name: str) -> Header:
    """Shape and dtype of an NPY file, without reading its numbers.

    Raises
    ------
    StackError
        Not an NPY file.
    """
    try:
        version = npy_format.read_magic(file)
    except ValueError as error:
        raise StackError(f"{name} is not a NumPy file: {error}") from error
    readers = {
        (1, 0): (2, npy_format.read_array_header_1_0),
        (2, 0): (4, npy_format.read_array_header_2_0),
    }
    if version not in readers:
        raise StackError(
            f"{name} is a NumPy file of version {version[0]}.{version[1]}; "
            "1.0 and 2.0 can hold images"
        )
    size, read = readers[version]
    shape, fortran, dtype = read(io.BytesIO(_header_bytes(file, size, name)))
    if any(side < 0 for side in shape):
        raise StackError(f"{name} claims to hold an array of {shape}")
    return Header(shape, dtype, fortran, file.tell())


def _header_bytes(file: IO[bytes], size: int, name: str) -> bytes:
    """The length of a header, a number of `size` bytes, and the header.

    NumPy would read as much as is announced, up to 4 GiB, before it finds that long.
    """
    length = file.read(size)
    announced = int.from_bytes(length, "little")
    if announced > MAX_HEADER_BYTES:
        raise StackError(
            f"{name} has a header of {announced} bytes, at most {MAX_HEADER_BYTES} "
            "are needed for images"
        )
    return length + file.read(announced)


def _recording(
    header: Header,
    images: Callable[[int], NDArray[np.generic]],
    name: str,
    selection: Selection,
    channels: tuple[str, ...],
    files: ExitStack,
) -> Recording:
    acquisition = Acquisition(pixel_size_nm=selection.pixel_size_nm)
    return Recording(
        shape=frame_axes(header.shape, name),
        dtype=frame_dtype(header.dtype, name),
        frame=frames_of(images, lambda _index: acquisition, name),
        close=files.pop_all().close,
        channel=selection.channel or UNKNOWN_CHANNEL,
        channels=channels,
    )


def _headers(archive: zipfile.ZipFile) -> dict[str, Header]:
    """Headers of all arrays of an archive, by name."""
    headers = {}
    for name in archive.namelist():
        if name.endswith(SUFFIX):
            with archive.open(name) as file:
                headers[name.removesuffix(SUFFIX)] = read_header(file, name)
    return headers


def check_expansion(header: Header, stored: int, name: str) -> None:
    """Refuse an array of an archive that must be read at once and is nearly nothing.

    Raises
    ------
    StackError
        Its numbers are many more than the `stored` bytes that they are packed into.
    """
    if header.fortran and header.bytes > MAX_EXPANSION * max(stored, MAX_HEADER_BYTES):
        raise StackError(
            f"{name} packs {header.bytes} bytes in Fortran order into {stored}; save "
            "it with numpy.ascontiguousarray"
        )


def _fortran_images(
    file: IO[bytes], header: Header, axes: tuple[int, int, int], name: str
) -> Callable[[int], NDArray[np.generic]]:
    """Images of which each is scattered over the whole file, which is read at once."""
    if header.bytes > MAX_WHOLE_BYTES:
        raise StackError(
            f"{name} has {header.bytes} bytes in Fortran order, which must be read at "
            "once; save it with numpy.ascontiguousarray"
        )
    file.seek(header.offset)
    numbers = np.frombuffer(file.read(header.bytes), header.dtype)
    stack = numbers.reshape(axes[::-1] if len(header.shape) == 3 else axes[:0:-1]).T
    return lambda index: stack.reshape(axes)[index]
