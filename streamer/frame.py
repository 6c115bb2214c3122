"""One frame of a STEM movie, with everything needed to understand it later."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from streamer.errors import FrameError

JsonValue: TypeAlias = (
    "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
)

DTYPES = frozenset(
    np.dtype(name)
    for name in (
        "uint8", "int8", "uint16", "int16", "uint32", "int32",
        "float16", "float32", "float64",
    )
)  # fmt: skip
"""What a pixel may be: real numbers that every file format and language knows."""

MAX_SIDE_PX = 16_384
"""Longest side of a frame; bounds what a message may make us allocate (2 GiB)."""


class Completeness(StrEnum):
    """How much of a frame the microscope had scanned when it was sent."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    """Still being scanned: only the first `valid_rows` rows belong to this frame."""
    ABORTED = "aborted"
    """The scan was stopped: only the first `valid_rows` rows were scanned."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One run of one channel of one source."""

    id: str
    """UUID, new for each run of a source: two runs are never taken for one."""
    source: str
    """What makes the frames: a microscope, a file, the simulator."""
    channel: str
    """Detector signal, for instance "HAADF"."""

    @classmethod
    def new(cls, source: str, channel: str) -> "Stream":
        """A run that begins now, with an id of its own."""
        return cls(str(uuid4()), source, channel)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image of a stream and what is known about how it was made."""

    stream: Stream
    seq: int
    """Position in the stream: 0, 1, 2 … without holes at the source."""
    image: NDArray[np.generic]
    """(rows, cols), a dtype of `DTYPES`, C order; rows grow downward."""
    pixel_size_nm: float | None = None
    """Side of a (square) pixel from this frame's own calibration; None if unknown."""
    origin_nm: tuple[float, float] = (0.0, 0.0)
    """(x, y) of the centre of pixel (0, 0)."""
    start_ns: int | None = None
    """Start of acquisition, ns since 1970 UTC; None if unknown."""
    end_ns: int | None = None
    """End of acquisition, ns since 1970 UTC; None if unknown."""
    dwell_time_us: float | None = None
    """Time the probe spends on a pixel; None if unknown."""
    dose_e_nm2: float | None = None
    """Electrons per nm² that this one frame put on the sample; None if unknown."""
    completeness: Completeness = Completeness.COMPLETE
    valid_rows: int = -1
    """Rows that belong to this frame; -1 stands for all of them."""
    metadata: Mapping[str, JsonValue] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """The microscope's own words, passed through unread."""

    def __post_init__(self) -> None:
        check_image(self.image)
        check_pixel_size(self.pixel_size_nm)
        rows = self.image.shape[0]
        if self.seq < 0:
            raise FrameError(f"frame number {self.seq} is negative")
        if self.valid_rows == -1:
            object.__setattr__(self, "valid_rows", rows)
        if not 0 <= self.valid_rows <= rows:
            raise FrameError(f"{self.valid_rows} valid rows in a frame of {rows} rows")
        if not all(math.isfinite(value) for value in self.origin_nm):
            raise FrameError(f"origin {self.origin_nm} nm is not finite")

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) in pixels."""
        rows, cols = self.image.shape
        return rows, cols

    @property
    def rows_so_far(self) -> int | None:
        """`valid_rows` of a frame that is not complete; None of one that is."""
        complete = self.completeness is Completeness.COMPLETE
        return None if complete else self.valid_rows


def check_image(image: NDArray[np.generic]) -> None:
    """Refuse what cannot be a frame.

    Raises
    ------
    FrameError
        Not two-dimensional, empty, too large, or pixels that are not real numbers.
    """
    if image.ndim != 2:
        raise FrameError(
            f"an image of {image.ndim} dimensions {image.shape}; a frame has 2"
        )
    if 0 in image.shape or max(image.shape) > MAX_SIDE_PX:
        raise FrameError(
            f"an image of {image.shape[0]} x {image.shape[1]} pixels; "
            f"sides of 1 to {MAX_SIDE_PX} are supported"
        )
    if image.dtype not in DTYPES:
        allowed = ", ".join(sorted(str(dtype) for dtype in DTYPES))
        raise FrameError(
            f"pixels of type {image.dtype}; a frame holds real numbers ({allowed})"
        )


def check_pixel_size(pixel_size_nm: float | None) -> None:
    """Refuse a pixel size that cannot be one (None, unknown, is fine).

    Raises
    ------
    FrameError
        Not a positive, finite number.
    """
    if pixel_size_nm is None:
        return
    if not (math.isfinite(pixel_size_nm) and pixel_size_nm > 0):
        raise FrameError(f"a pixel size of {pixel_size_nm} nm; expected more than 0")
