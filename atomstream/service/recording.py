"""What is received goes to the disk, and to memory while the disk takes nothing.

Frames are committed in the order of their stream, whatever happens: what a service
resumes with is what follows the last that is committed. A frame that comes while the
disk is full waits in the spool. When the disk takes frames again, those that wait are
committed; those that had to give way are asked for once more, and what their source
no longer has is a gap, with both causes.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from atomstream.words import event_in_words
from streamer.errors import SessionError, StorageError
from streamer.events import Abandoned, Ended, Event, Gap, Received
from streamer.frame import Frame, Stream
from streamer.messages import Content, Feed
from streamer.session.journal import Journal
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.spool import Shortage, Spool, Spooled
from streamer.subscriber import Subscriber

log = logging.getLogger("receive")
RETRY_S = 0.5
"""Between two looks whether the disk takes frames again."""
PATIENCE_S = 60.0
"""How long a source may take to send once more what had to give way."""
UNRECORDED = "it came while the disk took nothing"


@dataclass
class Recording:
    """Commits what a subscriber reports."""

    recorder: FrameRecorder
    session: SessionReader
    subscriber: Subscriber
    spool: Spool
    clock: Callable[[], float] = time.monotonic
    wall_ns: Callable[[], int] = time.time_ns
    journal: Journal = field(init=False)
    _shortage: Shortage | None = field(default=None, init=False)
    _nbytes: int = field(default=0, init=False)
    """Of the largest frame that the disk did not take."""
    _moved_s: float = field(default=0.0, init=False)
    """When something was committed or tried last."""
    _owed: dict[str, Stream] = field(default_factory=dict, init=False)
    """Streams of which something came that is not recorded."""

    def __post_init__(self) -> None:
        self.journal = Journal(self.recorder.commit_event, self.wall_ns)
        self._moved_s = self.clock()
        self._shortage = self.spool.shortage()
        for spooled in self.spool.frames():
            if spooled.key.stream_id not in self._owed:
                with suppress(SessionError):
                    self._owe(self.spool.read(spooled).stream)
        if self._owed and not self._shortage:
            self._shortage = Shortage("a crash came between", self.wall_ns())

    def take(self, event: Event) -> None:
        """Record what the event brings, or what it says is lost."""
        match event:
            case Received(message=Frame() as frame):
                self._take_frame(frame, event.received_ns)
            case Gap() | Ended() if self._shortage:
                self._put_off(event)
            case Gap() | Ended():
                self._try(lambda: self._take_word(event), lambda: self._put_off(event))
            case Abandoned(stream=stream) if not self._shortage:
                self._try(lambda: self._settle(stream), lambda: self._owe(stream))
            case _:
                pass
        if not isinstance(event, Received):
            text = event_in_words(event)
            log.info("%s", text)
            self.journal.note(type(event).__name__.lower(), text)

    def look(self) -> None:
        """Let time pass: see whether the disk takes frames again."""
        waited_s = self.clock() - self._moved_s
        if self._shortage and waited_s > RETRY_S:
            self._moved_s = self.clock()
            self._try(self._resume, lambda: None)
        elif self._owed and not self._shortage and waited_s > PATIENCE_S:
            self._moved_s = self.clock()
            self._try(self._settle_all, lambda: None)

    def close(self) -> None:
        """Say what is left in memory."""
        waiting = self.spool.frames()
        if waiting:
            log.error(
                "%d frames are not recorded: they stay in memory (%s) until this "
                "computer is restarted; make room on the disk and start again",
                len(waiting),
                self.spool.folder,
            )
        self.spool.close()

    def _take_frame(self, frame: Frame, received_ns: int) -> None:
        stream = frame.stream
        if not self._shortage and frame.seq <= self.session.next_seq(stream.id):
            self._try(
                lambda: self._commit(frame, received_ns),
                lambda: self._spool(frame, received_ns),
            )
        else:
            self._spool(frame, received_ns)

    def _commit(self, frame: Frame, received_ns: int) -> None:
        self.recorder.commit_frame(frame, received_ns)
        self._moved_s = self.clock()
        if frame.stream.id in self._owed:
            self._drain(frame.stream)

    def _spool(self, frame: Frame, received_ns: int) -> None:
        self._owe(frame.stream)
        self._nbytes = max(self._nbytes, frame.image.nbytes)
        if not self.spool.put(frame, received_ns):
            log.warning("frame %d finds no room in memory either", frame.seq)

    def _owe(self, stream: Stream) -> None:
        self._owed[stream.id] = stream

    def _put_off(self, event: Gap | Ended) -> None:
        """Have the event once more when the disk takes it."""
        self._owe(event.stream)
        if isinstance(event, Ended):
            self.subscriber.put_off(event)

    def _take_word(self, event: Gap | Ended) -> None:
        """Record what is lost, or where the end is, unless frames before it wait."""
        stream, next_seq = event.stream, self.session.next_seq(event.stream.id)
        match event:
            case Gap(first=first, last=last, reason=reason) if first <= next_seq:
                self._lose(stream, max(first, next_seq), last, reason)
                self._drain(stream)
            case Ended(total=total) if total <= next_seq:
                self.recorder.commit_end(stream, total)
                self._owed.pop(stream.id, None)
            case _:
                self._put_off(event)

    def _try(self, record: Callable[[], None], otherwise: Callable[[], None]) -> None:
        """Record something; where the disk does not take it, say so and go on."""
        try:
            record()
        except StorageError as error:
            otherwise()
            if self._shortage is None:
                text = f"NOT RECORDING: {error}"
                self._shortage = Shortage(text, self.wall_ns())
                log.error("%s; frames are kept in memory as long as they fit", text)
                self.journal.note("not recording", text)
            self.spool.say(self._shortage)

    def _resume(self) -> None:
        """Commit what waits, and ask for what had to give way."""
        self.recorder.check_space(self._nbytes)
        waiting = self.spool.frames()
        for stream in list(self._owed.values()):
            self._drain(stream)
        self._say_resumed(len(waiting) - len(self.spool.frames()))
        for stream in list(self._owed.values()):
            next_seq = self.session.next_seq(stream.id)
            self.subscriber.rewind(Feed(Content.FRAME, stream), next_seq)

    def _say_resumed(self, recorded: int) -> None:
        since_ns = self._shortage.since_ns if self._shortage else self.wall_ns()
        self._shortage, self._nbytes = None, 0
        self.spool.say(None)
        text = (
            f"again after {max(0, self.wall_ns() - since_ns) * 1e-9:.1f} s; "
            f"{recorded} frames were kept in memory meanwhile"
        )
        log.warning("recording %s", text)
        self.journal.note("recording", text)

    def _drain(self, stream: Stream) -> None:
        """Commit the frames of the spool whose turn it is."""
        for spooled in self._waiting(stream):
            next_seq = self.session.next_seq(stream.id)
            if spooled.key.seq > next_seq:
                return
            self._commit_spooled(spooled)
        self.spool.close()

    def _waiting(self, stream: Stream) -> list[Spooled]:
        waiting = [s for s in self.spool.frames() if s.key.stream_id == stream.id]
        return sorted(waiting, key=lambda spooled: spooled.key.seq)

    def _commit_spooled(self, spooled: Spooled) -> None:
        try:
            frame = self.spool.read(spooled)
        except SessionError as error:
            log.error("%s", error)
        else:
            self.recorder.commit_frame(frame, spooled.received_ns)
            self._moved_s = self.clock()
        self.spool.drop(spooled)

    def _lose(self, stream: Stream, first: int, last: int, reason: str) -> None:
        """Write down what is lost of a range; what waits in memory is not."""
        gone = self.spool.evicted.get(stream.id, (0, -1))
        for spooled in self._waiting(stream):
            seq = spooled.key.seq
            if first < seq <= last:
                self._commit_gap(stream, first, seq - 1, reason, gone)
            if first <= seq <= last:
                self._commit_spooled(spooled)
                first = seq + 1
        if first <= last:
            self._commit_gap(stream, first, last, reason, gone)

    def _commit_gap(
        self,
        stream: Stream,
        first: int,
        last: int,
        reason: str,
        evicted: tuple[int, int],
    ) -> None:
        if evicted[0] <= last and first <= evicted[1]:
            reason = f"{UNRECORDED}; {reason}"
        self.recorder.commit_gap(stream, first, last, reason, self.wall_ns())

    def _settle_all(self) -> None:
        for stream in list(self._owed.values()):
            self._settle(stream)

    def _settle(self, stream: Stream) -> None:
        """Commit what waits of a stream whose source will not fill its holes."""
        waiting = self._waiting(stream)
        if waiting:
            first, last = self.session.next_seq(stream.id), waiting[-1].key.seq
            self._lose(stream, first, last, "its source has not sent it once more")
        self._owed.pop(stream.id, None)
        self.spool.close()
