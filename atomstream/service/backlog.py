"""What came and is not recorded yet: why, and of which streams."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from streamer.events import Ended, Gap
from streamer.frame import Frame, Stream
from streamer.session.spool import Shortage

PATIENCE_S = 60.0
"""How long sources that are heard may take to list a stream that is owed."""


@dataclass
class Owed:
    """A stream of which something came that is not recorded."""

    stream: Stream
    moved_s: float
    """When something of it was committed, or its source asked or heard anew, last."""
    last: int = -1
    """The last of its frames that came, or were said to be lost."""
    is_abandoned: bool = False
    """Its source has gone for good."""


@dataclass
class Backlog:
    """The streams that the record is owed, and the shortage in which they came.

    It outlasts the shortage: until what had to give way has come once more.
    """

    clock: Callable[[], float]
    shortage: Shortage | None = None
    """Why the disk takes nothing now; None while it does."""
    largest_nbytes: int = 0
    """Of the frames that it did not take."""
    _owed: dict[str, Owed] = field(default_factory=dict, init=False)

    def __bool__(self) -> bool:
        return bool(self._owed)

    def __iter__(self) -> Iterator[Owed]:
        return iter(list(self._owed.values()))

    def find(self, stream_id: str) -> Owed | None:
        """What is owed of a stream, if anything is."""
        return self._owed.get(stream_id)

    def owe(self, stream: Stream, last: int) -> Owed:
        """Something of a stream, up to its frame `last`, is not recorded."""
        owed = self._owed.setdefault(stream.id, Owed(stream, self.clock()))
        owed.last = max(owed.last, last)
        return owed

    def owe_frame(self, frame: Frame) -> None:
        """A frame is not recorded."""
        self.owe(frame.stream, frame.seq)
        self.largest_nbytes = max(self.largest_nbytes, frame.image.nbytes)

    def owe_word(self, event: Gap | Ended) -> None:
        """A loss or an end is not recorded."""
        last = event.last if isinstance(event, Gap) else event.total - 1
        self.owe(event.stream, last)

    def moved(self, stream: Stream) -> None:
        """Something of a stream was recorded: more of it may be coming."""
        if owed := self.find(stream.id):
            owed.moved_s = self.clock()

    def all_moved(self) -> None:
        """A source is there again: anything may be coming."""
        for owed in self:
            owed.moved_s = self.clock()

    def overdue(self) -> Iterator[Owed]:
        """Those of which nothing has come for long; each once in that time."""
        now_s = self.clock()
        for owed in self:
            if now_s - owed.moved_s > PATIENCE_S:
                owed.moved_s = now_s
                yield owed

    def settled(self, stream: Stream) -> None:
        """Nothing is owed of a stream any more."""
        self._owed.pop(stream.id, None)

    def resume(self) -> Shortage | None:
        """The disk takes frames again; the shortage that has ended."""
        ended, self.shortage, self.largest_nbytes = self.shortage, None, 0
        return ended
