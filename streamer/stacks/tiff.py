"""TIFF stacks: ours, Nion's, ImageJ's, OME's and plain ones."""

import math
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from streamer.errors import StackError
from streamer.stacks.flat import flat_images
from streamer.stacks.pixels import frame_dtype
from streamer.stacks.stack import Recording, Selection, frames_of
from streamer.stacks.tiff_description import describe
from streamer.stacks.tiff_planes import planes_of

_FILE_NAME = re.compile(r"""FileName\s*=\s*["']([^"']*)["']""")
"""Of other files of the same OME data set, in its XML."""
MAX_EXPANSION = 10_000
"""Bytes that a byte of the file may become: far more than any image can be packed."""


def open_tiff(path: Path, selection: Selection) -> Recording:
    """The images of one channel of a TIFF file, along its axis of frames.

    Raises
    ------
    StackError
        Not a TIFF file, or images that are no frames.
    """
    name = path.name
    with ExitStack() as stack:
        file = stack.enter_context(tifffile.TiffFile(path))
        _check_alone(file, name)
        _check_chain(file, name)
        series = _only_series(file, name)
        planes = planes_of(series.axes, series.shape, name)
        rows, cols = series.keyframe.shape[:2]
        shape = (planes.frames, rows, cols)
        _check_count(file, series, name)
        description = describe(file, shape, name)
        channels = _channels(description.channels, planes.channels)
        place, channel = selection.choose(channels, name)
        pixel_size_nm = selection.pixel_size(description.sides_nm, name)
        images = _images(file, series, name)
        return Recording(
            shape=shape,
            dtype=frame_dtype(series.dtype, name),
            frame=frames_of(
                lambda index: images(planes.index(index, place)),
                description.acquisitions(pixel_size_nm),
                name,
            ),
            close=stack.pop_all().close,
            pixel_size_nm=pixel_size_nm,
            channel=channel,
            channels=channels,
        )


def _check_alone(file: tifffile.TiffFile, name: str) -> None:
    """Refuse a file that names others outside of its folder, which would be opened."""
    if file.is_ndtiff:
        raise StackError(f"{name} is part of an NDTiff data set; save it as OME-TIFF")
    folder = Path(file.filehandle.path).parent
    for other in _file_names(file):
        # Anything but a plain name in the same folder, entities of XML included.
        plain = re.fullmatch(r"[^/\\&]+", other) and other not in ("..", ".")
        if not plain or (folder / other).is_symlink():
            raise StackError(
                f"{name} keeps images in “{other[:80]}”; the files of one stack lie in "
                "one folder"
            )


def _file_names(file: tifffile.TiffFile) -> list[str]:
    return _FILE_NAME.findall(file.ome_metadata or "") if file.is_ome else []


def _check_chain(file: tifffile.TiffFile, name: str) -> None:
    """Refuse a file whose last image does not say that it is the last.

    tifffile would give the images before it, as if they were all.
    """
    end = file.pages.next_page_offset
    if end is None:
        return
    file.filehandle.seek(end)
    if file.filehandle.read(file.tiff.offsetsize) != bytes(file.tiff.offsetsize):
        raise StackError(f"{name} is cut short: it ends before its last image")


def _check_count(
    file: tifffile.TiffFile, series: tifffile.TiffPageSeries, name: str
) -> None:
    """Refuse a file that announces more images than are in it."""
    images = math.prod(series.shape) // math.prod(series.keyframe.shape)
    announced = (file.imagej_metadata or {}).get("images", images)
    there = images
    # The images of an OME file may be spread over several.
    if series.dataoffset is None and not file.is_ome:
        there = min(images, len(file.pages))
    if announced != there:
        raise StackError(
            f"{name} is cut short: {announced} images were announced, {there} are there"
        )


def _only_series(file: tifffile.TiffFile, name: str) -> tifffile.TiffPageSeries:
    """The series of equal images, of which a stack has one."""
    if len(file.series) != 1:
        shapes = ", ".join(str(series.shape) for series in file.series[:5])
        raise StackError(f"{name} holds images of different kinds: {shapes}")
    return file.series[0]


def _channels(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """As many names as there are channels: numbers where they are not given."""
    if len(names) == count or count == 1:
        return names[:count]
    return tuple(str(number) for number in range(1, count + 1))


def _images(
    file: tifffile.TiffFile, series: tifffile.TiffPageSeries, name: str
) -> Callable[[int], NDArray[np.generic]]:
    """Reader of image number i of a series."""
    rows, cols = series.keyframe.shape[:2]
    if series.dataoffset is not None:
        dtype = np.dtype(series.dtype).newbyteorder(file.byteorder)
        missing = series.dataoffset + series.nbytes - file.filehandle.size
        if missing > 0:
            raise StackError(f"{name} is cut short: {missing} bytes are missing")
        return flat_images(
            file.filehandle, series.dataoffset, (rows, cols), dtype, name
        )

    def image(index: int) -> NDArray[np.generic]:
        page = series[index]
        if page is None:
            raise StackError(f"{name} has no image for frame {index}")
        stored = sum(page.databytecounts)
        if page.nbytes > MAX_EXPANSION * max(stored, 1):
            raise StackError(
                f"{name} is damaged: {stored} bytes cannot hold frame {index}"
            )
        return page.asarray().reshape(rows, cols)

    return image
