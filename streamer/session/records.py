"""What the index of a session says, one record a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from streamer.analysis import (
    Flag,
    ModelId,
    PixelSizeSource,
    Summary,
    pixel_size_source,
)
from streamer.frame import Completeness, Stream
from streamer.messages import is_loss
from streamer.session.exposure import Exposure


class FrameKey(NamedTuple):
    """What names a frame everywhere."""

    stream_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One stream of a session."""

    number: int
    """0, 1, … in the order in which they came."""
    stream: Stream
    frames: int
    """Committed."""
    analyses: int
    """Committed."""
    aside: int
    """Frames that are set aside: they are not analysed."""
    total: int | None
    """Frames that the source sent; None before the stream's end."""


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One committed frame."""

    stream_id: str
    seq: int
    received_ns: int
    """Since 1970 UTC."""
    exposure: Exposure
    shape: tuple[int, int]
    """(rows, cols)."""
    pixel_size_nm: float | None
    """The frame's own."""
    origin_nm: tuple[float, float]
    """(x, y) of the centre of pixel (0, 0)."""
    completeness: Completeness
    valid_rows: int
    sent_ns: int | None = None
    """Since 1970 UTC by the source's clock; None where it was not recorded."""
    committed_ns: int | None = None
    """Since 1970 UTC; None in a session of an earlier version."""


@dataclass(frozen=True, slots=True)
class AnalysisRecord:
    """One committed analysis, without its atoms."""

    frame: FrameRecord
    model: ModelId
    provider: str
    pixel_size_nm: float | None
    """What was used."""
    flags: tuple[Flag, ...]
    summary: Summary
    stages_ms: Mapping[str, float]
    latency_s: float
    estimated_pixel_size_nm: float | None = None
    """As in `Analysis`."""
    committed_ns: int | None = None
    """Since 1970 UTC; None in a session of an earlier version."""

    @property
    def pixel_size_source(self) -> PixelSizeSource | None:
        """Where the pixel size comes from; None if there is none."""
        return pixel_size_source(
            self.pixel_size_nm, self.frame.pixel_size_nm, self.flags
        )


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """An analysis that was begun and never finished."""

    key: FrameKey
    tries: int
    reason: str | None
    """Why the frame is set aside; None while it is not."""


@dataclass(frozen=True, slots=True)
class GapRecord:
    """Frames that could not be had."""

    stream_id: str
    first: int
    last: int
    """Included."""
    reason: str
    noticed_ns: int
    """Since 1970 UTC."""

    @property
    def is_loss(self) -> bool:
        """Whether anything is missing by it: not what a newer state stands for."""
        return is_loss(self.reason)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened to the service."""

    time_ns: int
    """Since 1970 UTC."""
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a session has come."""

    frames: int
    """Committed."""
    waiting: int
    """Of these, neither analysed nor set aside."""
    aside: int
    oldest_waiting_ns: int | None = None
    """When the first of the waiting came, since 1970 UTC; None if none waits."""


@dataclass(frozen=True, slots=True)
class Totals:
    """A session in four numbers."""

    frames: int
    analyses: int
    lost: int
    """Frames of the gap ledger that have not come after all, but for those that were
    still being scanned and of which a newer state took the place."""
    bytes: int
    """Of all committed files."""
