"""HDF5 stacks: Nion's project files (.h5) and exports (.nhdf), and plain ones."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from streamer.errors import StackError
from streamer.nion_item import NionItem, read_item
from streamer.session.acquisition import Acquisition
from streamer.stacks import hdf5_probe
from streamer.stacks.hdf5_probe import MAX_CHUNK_BYTES, chunk_bytes
from streamer.stacks.npy import choose
from streamer.stacks.pixels import frame_axes, frame_dtype, is_plausible
from streamer.stacks.stack import UNKNOWN_CHANNEL, Recording, Selection, frames_of

PROPERTIES = "properties"
"""Attribute in which Nion keeps what it knows of an array."""
PATIENCE_S = 30.0
"""Time for a first look, which takes a tenth of a second on a sound file."""
MAX_EXPANSION = 10_000
"""Bytes that a byte of the file may become: far more than any image can be packed."""


def open_hdf5(path: Path, selection: Selection) -> Recording:
    """The images of a file: Nion's item of the wanted channel, or the only array.

    Raises
    ------
    StackError
        Not an HDF5 file, no images in it, or several arrays and none is wanted.
    """
    # h5py takes a file that may not be read for one of another format.
    path.open("rb").close()
    if not h5py.is_hdf5(path):
        raise StackError(f"{path.name} is not an HDF5 file")
    check_readable(path, PATIENCE_S)
    with ExitStack() as stack:
        file = stack.enter_context(h5py.File(path, "r"))
        items = _nion_items(file)
        if items:
            return _nion(items, path.name, selection, stack)
        return _plain(file, path.name, selection, stack)


def check_readable(path: Path, patience_s: float) -> None:
    """Refuse a file that the HDF5 library does not get through.

    It is tried in another process: one in some hundred damaged files makes the library
    (2.0.0) loop for ever, where nothing in this process could stop it.

    Raises
    ------
    StackError
        It hangs, crashes, or asks for more memory than there is.
    """
    command = [sys.executable, "-I", hdf5_probe.__file__, str(path.absolute())]
    try:
        code = subprocess.run(
            command, timeout=patience_s, check=False, capture_output=True
        ).returncode
    except subprocess.TimeoutExpired:
        code = None
    if code != 0:
        raise StackError(f"{path} is damaged: the HDF5 library gets lost in it")


def _nion_items(file: h5py.File) -> list[h5py.Dataset]:
    """Arrays that Nion Swift wrote: /data itself, or those in the group /data."""
    data = _inside(file, "data")
    inside = [data]
    if isinstance(data, h5py.Group):
        inside = [_inside(data, name) for name in data]
    return [
        dataset
        for dataset in inside
        if isinstance(dataset, h5py.Dataset) and PROPERTIES in dataset.attrs
    ]


def _inside(group: h5py.Group, name: str) -> object:
    """What lies in a group under a name; None for what lies elsewhere.

    Links may lead to other files, which nobody has given us and nobody has tried.
    """
    hard = isinstance(group.get(name, getlink=True), h5py.HardLink)
    return group.get(name) if hard else None


def _nion(
    datasets: list[h5py.Dataset], name: str, selection: Selection, files: ExitStack
) -> Recording:
    items = [
        read_item(json.loads(dataset.attrs[PROPERTIES]), dataset.shape, name)
        for dataset in datasets
    ]
    channels = _channels(items)
    place, channel = selection.choose(channels, name)
    dataset, item = datasets[place], items[place]
    pixel_size_nm = selection.pixel_size(item.sides_nm, name)
    frames = frame_axes(dataset.shape, name)[0]
    return _recording(
        dataset, name, item.acquisition(frames, pixel_size_nm), files,
        pixel_size_nm, channel, channels,
    )  # fmt: skip


def _channels(items: list[NionItem]) -> tuple[str, ...]:
    """Names of the channels of the items; numbered if they are several and alike."""
    names = [item.channels[0] if item.channels else "item" for item in items]
    if len(set(names)) == len(names):
        return tuple(names) if any(item.channels for item in items) else ()
    return tuple(f"{name} {number}" for number, name in enumerate(names, start=1))


def _plain(
    file: h5py.File, name: str, selection: Selection, files: ExitStack
) -> Recording:
    datasets = _datasets(file)
    plausible = [
        key
        for key, dataset in datasets.items()
        if is_plausible(dataset.shape, dataset.dtype)
    ]
    chosen = choose(selection.channel, plausible, list(datasets), name)
    acquisition = Acquisition(pixel_size_nm=selection.pixel_size_nm)
    return _recording(
        datasets[chosen], name, lambda _index: acquisition, files,
        None, selection.channel or UNKNOWN_CHANNEL, tuple(plausible),
    )  # fmt: skip


def _datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """All arrays of a file by their paths."""
    found: dict[str, h5py.Dataset] = {}

    def visit(path: str, thing: object) -> None:
        if isinstance(thing, h5py.Dataset) and thing.shape is not None:
            found[path] = thing

    file.visititems(visit)
    return found


def _recording(
    dataset: h5py.Dataset,
    name: str,
    acquisition: Callable[[int], Acquisition],
    files: ExitStack,
    pixel_size_nm: float | None,
    channel: str,
    channels: tuple[str, ...],
) -> Recording:
    _check_storage(dataset, name)
    shape = frame_axes(dataset.shape, name)
    return Recording(
        shape=shape,
        dtype=frame_dtype(dataset.dtype, name),
        frame=frames_of(_images(dataset), acquisition, name),
        close=files.pop_all().close,
        pixel_size_nm=pixel_size_nm,
        channel=channel,
        channels=channels,
    )


def _check_storage(dataset: h5py.Dataset, name: str) -> None:
    if dataset.external or dataset.is_virtual:
        raise StackError(f"{name} keeps its numbers in other files; give those")
    if chunk_bytes(dataset) > MAX_CHUNK_BYTES:
        raise StackError(
            f"{name} has chunks of {chunk_bytes(dataset)} bytes, of which each must be "
            f"read at once; at most {MAX_CHUNK_BYTES} are supported"
        )
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > MAX_EXPANSION * stored:
        raise StackError(
            f"{name} announces {dataset.nbytes} bytes of numbers and holds {stored}"
        )


def _images(dataset: h5py.Dataset) -> Callable[[int], NDArray[np.generic]]:
    if dataset.ndim == 2:
        return lambda _index: np.asarray(dataset[()])
    return lambda index: np.asarray(dataset[index])
