"""Nion Swift's .ndata: a zip archive of one array and the properties of its item."""

import json
import zipfile
from contextlib import ExitStack
from pathlib import Path

from streamer.errors import StackError
from streamer.nion_item import read_item
from streamer.stacks.npy import check_expansion, npy_images, read_header
from streamer.stacks.pixels import frame_axes, frame_dtype
from streamer.stacks.stack import Recording, Selection, frames_of

MAX_PROPERTIES_BYTES = 2**22


def open_ndata(path: Path, selection: Selection) -> Recording:
    """The array of an item, with its calibration.

    Raises
    ------
    StackError
        Not such an archive, or not images.
    """
    name = path.name
    with ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        missing = {"data.npy", "metadata.json"} - set(archive.namelist())
        if missing:
            raise StackError(f"{name} is not a Nion data item: no {min(missing)} in it")
        with archive.open("metadata.json") as file:
            properties = json.loads(file.read(MAX_PROPERTIES_BYTES))
        array = stack.enter_context(archive.open("data.npy"))
        header = read_header(array, name)
        member = archive.getinfo("data.npy")
        check_expansion(header, member.compress_size, name)
        images = npy_images(array, header, member.file_size, name)
        item = read_item(properties, header.shape, name)
        _, channel = selection.choose(item.channels, name)
        axes = frame_axes(header.shape, name)
        pixel_size_nm = selection.pixel_size(item.sides_nm, name)
        return Recording(
            shape=axes,
            dtype=frame_dtype(header.dtype, name),
            frame=frames_of(images, item.acquisition(axes[0], pixel_size_nm), name),
            close=stack.pop_all().close,
            pixel_size_nm=pixel_size_nm,
            channel=channel,
            channels=item.channels,
        )
