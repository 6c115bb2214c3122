"""Which image of a TIFF file is which frame of which channel."""

from dataclasses import dataclass

import numpy as np

from streamer.errors import StackError

ROWS_AND_COLS = "YX"
CHANNEL = "C"
SAMPLES = "S"
"""Letter of the axis along which a pixel has several values (its colours)."""


@dataclass(frozen=True, slots=True)
class Planes:
    """How the images of a TIFF series are counted."""

    leading: tuple[int, ...]
    """Lengths of the axes before rows and columns."""
    frame_axis: int | None
    """Which of them counts frames; None for a single one."""
    channel_axis: int | None
    """Which of them counts channels; None for a single one."""

    @property
    def frames(self) -> int:
        """Number of frames."""
        return 1 if self.frame_axis is None else self.leading[self.frame_axis]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return 1 if self.channel_axis is None else self.leading[self.channel_axis]

    def index(self, frame: int, channel: int) -> int:
        """Place of an image in the file."""
        if not self.leading:
            return 0
        place = [0] * len(self.leading)
        if self.frame_axis is not None:
            place[self.frame_axis] = frame
        if self.channel_axis is not None:
            place[self.channel_axis] = channel
        return int(np.ravel_multi_index(place, self.leading))


def planes_of(axes: str, shape: tuple[int, ...], name: str) -> Planes:
    """Planes of a series with these axes (tifffile's letters) of these lengths.

    Raises
    ------
    StackError
        Images in colour, more than one axis that could count frames.
    """
    if SAMPLES in axes and shape[axes.index(SAMPLES)] > 1:
        raise StackError(f"{name} holds colour images; a frame has one value a pixel")
    if not axes.replace(SAMPLES, "").endswith(ROWS_AND_COLS):
        raise StackError(
            f"{name} has the axes {axes}; the last two must be {ROWS_AND_COLS}"
        )
    leading = axes.replace(SAMPLES, "")[:-2]
    lengths = tuple(
        length for axis, length in zip(axes, shape, strict=True) if axis != SAMPLES
    )[:-2]
    counting = [i for i, length in enumerate(lengths) if length > 1]
    channels = [i for i in counting if leading[i] == CHANNEL]
    frames = [i for i in counting if leading[i] != CHANNEL]
    if len(frames) > 1 or len(channels) > 1:
        raise StackError(
            f"{name} has the axes {axes} of lengths {shape}; a stack has one axis of "
            f"frames, one of channels ({CHANNEL}), rows and columns"
        )
    return Planes(
        lengths, frames[0] if frames else None, channels[0] if channels else None
    )
