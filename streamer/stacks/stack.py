"""A recorded stack: frames that are read when they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from streamer.errors import StackError
from streamer.frame import MAX_SIDE_PX, Frame, Stream
from streamer.session.acquisition import Acquisition
from streamer.stacks.failures import stack_failures
from streamer.stacks.pixels import frame_pixels
from streamer.units import are_square, square_pixel_nm

UNKNOWN_CHANNEL = "unknown"
"""Channel of a file that does not say which detector it is from."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted of a file."""

    channel: str | None = None
    """Name of the detector signal; None for HAADF, or else the first."""
    pixel_size_nm: float | None = None
    """Instead of the file's own calibration."""
    oblong_as_unknown: bool = False
    """Whether pixels that are not square, which no frame can have, make a frame
    without calibration instead of a refusal: somebody else knows the size."""

    def choose(self, channels: tuple[str, ...], name: str) -> tuple[int, str]:
        """Place and name of the wanted channel among those of the file called `name`.

        A file that names none is taken to be what is wanted.

        Raises
        ------
        StackError
            It is not among them.
        """
        if not channels:
            return 0, self.channel or UNKNOWN_CHANNEL
        known = [channel.casefold() for channel in channels]
        wanted = (self.channel or "haadf").casefold()
        if wanted in known:
            index = known.index(wanted)
        elif self.channel is None:
            index = 0
        else:
            raise StackError(
                f"{name} has no channel “{self.channel}”; it has {', '.join(channels)}"
            )
        return index, channels[index]

    def pixel_size(
        self, sides_nm: tuple[float, float] | None, name: str
    ) -> float | None:
        """Pixel size as wanted, or else from (height, width) of the file's pixels.

        Raises
        ------
        StackError
            They are not square, and nothing else is wanted.
        """
        if self.pixel_size_nm is not None or sides_nm is None:
            return self.pixel_size_nm
        if self.oblong_as_unknown and not are_square(sides_nm):
            return None
        return square_pixel_nm(sides_nm, name)


@dataclass(frozen=True, slots=True)
class Recording:
    """One channel of a file, as the reader of its format gives it."""

    shape: tuple[int, int, int]
    """(frames, rows, cols)."""
    dtype: np.dtype[np.generic]
    """Of the frames, not of the file."""
    frame: Callable[[int, Stream], Frame]
    """Reads one."""
    close: Callable[[], None]
    pixel_size_nm: float | None = None
    """Of the first frame, if they differ."""
    channel: str = UNKNOWN_CHANNEL
    channels: tuple[str, ...] = ()
    """All that the file has; none if it does not say."""


def frames_of(
    image: Callable[[int], NDArray[np.generic]],
    acquisition: Callable[[int], Acquisition],
    name: str,
) -> Callable[[int, Stream], Frame]:
    """Reader of frames from a reader of arrays and one of how they were made."""

    def frame(index: int, stream: Stream) -> Frame:
        pixels = frame_pixels(image(index), name)
        return acquisition(index).frame(stream, index, pixels)

    return frame


class Stack:
    """Frames of one channel of a recorded stack, in order; a context manager.

    Attributes
    ----------
    source
        Name of the file.
    channel, channels
        The one that is read, and all that there are (none if the file does not say).
    shape
        (rows, cols) of a frame.
    dtype
        Of the frames: big-endian numbers are turned, 64-bit integers narrowed.
    pixel_size_nm
        From the file, or what was given instead; None if unknown.
    """

    def __init__(self, path: Path, recording: Recording, selection: Selection) -> None:
        self._path = path
        self._recording = recording
        self._given_nm = selection.pixel_size_nm
        self.source = path.name
        self.channel = recording.channel
        self.channels = recording.channels
        self._count, rows, cols = recording.shape
        self.shape = (rows, cols)
        self.dtype = recording.dtype
        self.pixel_size_nm = self._given_nm or recording.pixel_size_nm
        self._check_shape()

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._recording.close()

    def frame(self, index: int, stream: Stream) -> Frame:
        """Frame `index` as frame number `index` of `stream`.

        Its calibration, times and metadata are those of the file, as far as it has
        any; what it says of the stream it was recorded from is not.

        Raises
        ------
        IndexError
            There are not so many.
        StackError
            The file is damaged there.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {self.source}, which has {len(self)}")
        with stack_failures(self._path):
            frame = self._recording.frame(index, stream)
        if self._given_nm is None:
            return frame
        return replace(frame, pixel_size_nm=self._given_nm)

    def _check_shape(self) -> None:
        if not len(self):
            raise StackError(f"{self.source} holds no frames")
        if 0 in self.shape or max(self.shape) > MAX_SIDE_PX:
            raise StackError(
                f"{self.source} holds images of {self.shape[0]} x {self.shape[1]} "
                f"pixels; sides of 1 to {MAX_SIDE_PX} are supported"
            )
