"""Which stream each frame of a scan belongs to: a new one for each acquisition.

A state machine without sockets, without a clock and without Nion Swift. What happened
goes in; what is to be sent comes out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import uuid4

from streamer.frame import Completeness, Stream

from .update import COMPLETE, GROWING, Update

SCANNING = " (scanning)"
"""Ends the channel of frames that are still being scanned: they are a stream of their
own, so that the frames of a run are the whole ones, each once."""


@dataclass(frozen=True, slots=True)
class Place:
    """A frame's place in a stream, and how much of it there is."""

    stream: Stream
    seq: int
    completeness: Completeness
    valid_rows: int


@dataclass(frozen=True, slots=True)
class Over:
    """No more comes of a stream."""

    stream: Stream


Step: TypeAlias = Place | Over


@dataclass(slots=True)
class Counted:
    """A stream and how many of its frames have been placed."""

    stream: Stream
    count: int = 0

    def next(self, completeness: Completeness, valid_rows: int) -> Place:
        """The place of the next frame."""
        place = Place(self.stream, self.count, completeness, valid_rows)
        self.count += 1
        return place


@dataclass(slots=True)
class Run:
    """One acquisition of one channel."""

    geometry: tuple[object, ...]
    frames: Counted
    growing: Counted | None = None
    """Frames that are still being scanned, once one was wanted."""
    growing_s: float = float("-inf")
    """When one was last sent."""
    frame_index: int = 0
    scan_id: str = ""
    scanned_rows: int = 0
    """Of the frame with `scan_id`, by the last word on it while it was growing."""
    broken: str | None = None
    """The scan that was broken off: its frame is sent once."""

    def streams(self) -> list[Stream]:
        """All of them."""
        return [part.stream for part in (self.frames, self.growing) if part]


@dataclass(slots=True)
class Runs:
    """All acquisitions of one source that are going on.

    Calls may come from several threads, but one at a time.
    """

    source: str
    partial_every_s: float = 0.0
    """How often a frame that is still being scanned is wanted; 0: never."""
    new_id: Callable[[], str] = field(default=lambda: str(uuid4()))
    is_aborted: bool = False
    """Whether what is being scanned was broken off."""
    _runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    _running: int = 0

    def started(self) -> None:
        """A view or a recording has begun."""
        self._running += 1
        self.is_aborted = False

    def aborted(self) -> None:
        """What is being scanned will not be finished, whatever is said of it."""
        self.is_aborted = True

    def stopped(self) -> list[Step]:
        """A view or a recording is over; a view that was interrupted goes on."""
        self._running = max(0, self._running - 1)
        self.is_aborted = False
        over = [key for key in self._runs if self._running == 0 or key[1]]
        return [step for key in over for step in self._end(key)]

    def closed(self) -> list[Step]:
        """Nothing more will come."""
        return [step for key in tuple(self._runs) for step in self._end(key)]

    def place(self, update: Update, now_s: float) -> list[Step]:
        """What follows from an update of a channel, at `now_s` of any steady clock."""
        if update.state != COMPLETE and update.state not in GROWING:
            return []
        key = update.channel_id, update.recording
        steps: list[Step] = []
        run = self._runs.get(key)
        if run is not None and not continues(run, update):
            steps, run = self._end(key), None
        if run is None:
            stream = self._stream(update.channel)
            run = self._runs[key] = Run(update.geometry, Counted(stream))
        run.frame_index = update.frame_index
        place = self._place(run, update, now_s)
        return [*steps, place] if place else steps

    def _place(self, run: Run, update: Update, now_s: float) -> Place | None:
        rows = update.shape[0]
        scanned = run.scanned_rows if run.scan_id == update.scan_id else 0
        if update.state in GROWING:
            # A view that was interrupted scans its frame anew, with the same id.
            run.scan_id, run.scanned_rows = update.scan_id, min(update.valid_rows, rows)
            scanned = run.scanned_rows
        if self.is_aborted:
            return self._broken(run, update.scan_id, scanned)
        if update.state == COMPLETE:
            return run.frames.next(Completeness.COMPLETE, rows)
        return self._growing(run, update.channel, now_s)

    def _broken(self, run: Run, scan_id: str, rows: int) -> Place | None:
        """The frame of a scan that was broken off after `rows` rows, once.

        The device says of it that it is complete: the rows after these are empty, or
        those of the frame before.
        """
        if rows == 0 or run.broken == scan_id:
            return None
        run.broken = scan_id
        return run.frames.next(Completeness.ABORTED, rows)

    def _growing(self, run: Run, channel: str, now_s: float) -> Place | None:
        is_due = now_s - run.growing_s >= self.partial_every_s > 0
        if not is_due or run.scanned_rows == 0:
            return None
        run.growing_s = now_s
        if run.growing is None:
            run.growing = Counted(self._stream(channel + SCANNING))
        return run.growing.next(Completeness.PARTIAL, run.scanned_rows)

    def _stream(self, channel: str) -> Stream:
        return Stream(self.new_id(), self.source, channel)

    def _end(self, key: tuple[str, str]) -> list[Step]:
        return [Over(stream) for stream in self._runs.pop(key).streams()]


def continues(run: Run, update: Update) -> bool:
    """Whether a frame is of the same run: same field of view, and later."""
    same = run.geometry == update.geometry
    return same and update.frame_index >= run.frame_index
