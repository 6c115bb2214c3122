"""A movie as one TIFF file that ImageJ plays, and that comes back exactly."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import tifffile

from streamer.errors import StackError
from streamer.frame import Frame, Stream
from streamer.session.acquisition import Acquisition
from streamer.session.description import KEY, Description
from streamer.session.durable import replacing
from streamer.session.tiff import (
    IMAGEJ_DTYPES,
    gatan_tags,
    imagej_unit,
    resolution_tags,
    write_plain,
)
from streamer.stacks.failures import stack_failures

MAX_CLASSIC_BYTES = 2**32 - 2**25
"""Of pixels; more needs BigTIFF, which ImageJ opens with Bio-Formats only."""
NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the frames that were written, without their pixels."""

    path: Path
    """Where they go, for messages."""
    stream: Stream
    seqs: list[int] = field(default_factory=list)
    acquisitions: list[Acquisition] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        """Remember how a frame was made."""
        self.seqs.append(frame.seq)
        self.acquisitions.append(Acquisition.of(frame))

    def description(self) -> Description:
        """Of all of them."""
        return Description(self.stream, self.seqs, self.acquisitions)

    def interval_s(self) -> float | None:
        """Time from the first frame to the second; None if unknown."""
        starts = [made.start_ns for made in self.acquisitions[:2]]
        if len(starts) < 2 or starts[0] is None or starts[1] is None:
            return None
        return (starts[1] - starts[0]) / NS_PER_S


def write_tiff_stack(path: Path, frames: Iterable[Frame], count: int) -> None:
    """Write `count` frames of one stream to a file, one at a time in memory.

    An ImageJ hyperstack where the pixels' type and the size allow it, else a plain
    TIFF file or BigTIFF; with calibration and frame interval, and with all that is
    known of each frame for `open_stack`. The file appears when it is whole.

    Raises
    ------
    StackError
        No frames, another number of them, frames of different shapes or types, or a
        file that cannot be written.
    """
    movie = iter(frames)
    first = next(movie, None)
    if first is None:
        raise StackError(f"{path}: a stack needs at least one frame")
    known = Known(path, first.stream)
    with stack_failures(path), replacing(path) as temporary:
        checked = _checked(chain([first], movie), first, count, known)
        _write_images(temporary, checked, first, count)
        _describe(temporary, known)


def _checked(
    frames: Iterator[Frame], first: Frame, count: int, known: Known
) -> Iterator[Frame]:
    """Frames that are alike and as many as promised; they become `known`."""
    for frame in frames:
        if len(known.seqs) == count:
            raise StackError(
                f"{known.path}: more than the {count} frames that were announced"
            )
        if (frame.shape, frame.image.dtype) != (first.shape, first.image.dtype):
            raise StackError(
                f"{known.path}: frame {frame.seq} has {frame.shape} pixels of "
                f"{frame.image.dtype}, the first {first.shape} of "
                f"{first.image.dtype}; all must be equal"
            )
        known.add(frame)
        yield frame
    came = len(known.seqs)
    if came < count:
        raise StackError(
            f"{known.path}: {came} frames came of {count} that were announced"
        )


def _write_images(
    path: Path, frames: Iterator[Frame], first: Frame, count: int
) -> None:
    big = count * first.image.nbytes > MAX_CLASSIC_BYTES
    imagej = first.image.dtype in IMAGEJ_DTYPES and not big
    with tifffile.TiffWriter(path, imagej=imagej, bigtiff=big) as writer:
        if not imagej:
            for frame in frames:
                write_plain(writer, frame, description=KEY)
            return
        writer.write(
            (frame.image for frame in frames),
            shape=(count, *first.shape),
            dtype=first.image.dtype,
            photometric="minisblack",
            resolution=resolution_tags(first.pixel_size_nm, unit_nm=1.0),
            extratags=gatan_tags(first),
            metadata={"axes": "TYX"} | imagej_unit(first),
        )


def _describe(path: Path, known: Known) -> None:
    """Add to the first image's description what is known when all frames came."""
    with tifffile.TiffFile(path, mode="r+") as file:
        tag = file.pages.first.tags["ImageDescription"]
        lines = tag.value.splitlines() if file.is_imagej else []
        interval_s = known.interval_s()
        if lines and interval_s:
            lines.append(f"finterval={interval_s}")
        lines.append(f"{KEY}={known.description().to_json()}")
        tag.overwrite("\n".join([*lines, ""]))
