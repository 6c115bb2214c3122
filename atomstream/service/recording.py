"""What is received goes to the disk, and to memory while the disk takes nothing.

Frames are committed in the order of their stream, whatever happens: what a service
resumes with is what follows the last that is committed. A frame that comes while the
disk is full waits in the spool. When the disk takes frames again, those that wait are
committed; those that had to give way are asked for once more, and what their source
no longer has is a gap, with both causes. A source that is silent is waited for.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from atomstream.service.backlog import Backlog, Owed
from atomstream.service.telling import Telling
from atomstream.words import frame_in_words
from streamer.errors import SessionError, StorageError
from streamer.events import (
    Abandoned,
    Ended,
    Event,
    Gap,
    Heard,
    Received,
    Silent,
)
from streamer.frame import Frame, Stream
from streamer.incoming import Incoming
from streamer.log_fields import of_frame
from streamer.messages import Content, Feed
from streamer.session.journal import Journal
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.spool import Shortage, Spool, Spooled

log = logging.getLogger("receive")
RETRY_S = 0.5
"""Between two looks whether the disk takes frames again."""
UNRECORDED = "it came while the disk took nothing"


@dataclass
class Recording:
    """Commits what sources report."""

    recorder: FrameRecorder
    session: SessionReader
    incoming: Incoming
    spool: Spool
    sources: tuple[str, ...] = ()
    """Addresses that must be heard before a stream that none of them has is settled."""
    clock: Callable[[], float] = time.monotonic
    wall_ns: Callable[[], int] = time.time_ns
    journal: Journal = field(init=False)
    _backlog: Backlog = field(init=False)
    _telling: Telling = field(init=False)
    _tried_s: float = field(default=0.0, init=False)
    """When it was tried last whether the disk takes frames again."""
    _heard: set[str] = field(default_factory=set, init=False)
    """Those of the sources that are there."""

    def __post_init__(self) -> None:
        self.journal = Journal(self.recorder.commit_event, self.wall_ns)
        self._tried_s = self.clock()
        self._telling = Telling(self.journal, self.clock)
        self._backlog = Backlog(self.clock, self.spool.shortage())
        for spooled in self.spool.frames():
            with suppress(SessionError):
                self._backlog.owe(self._stream_of(spooled), spooled.key.seq)
        if self._backlog and not self._backlog.shortage:
            self._backlog.shortage = Shortage("a crash came between", self.wall_ns())

    def take(self, event: Event) -> None:
        """Record what the event brings, or what it says is lost."""
        match event:
            case Received(message=Frame() as frame):
                self._take_frame(frame, event.received_ns, event.sent_ns)
            case Gap() | Ended() if self._backlog.shortage:
                self._put_off(event)
            case Gap() | Ended():
                self._try(lambda: self._take_word(event), lambda: self._put_off(event))
            case Abandoned(stream, next_seq) if self._backlog.find(stream.id):
                owed = self._backlog.owe(stream, next_seq - 1)
                owed.is_abandoned = True
                if not self._backlog.shortage:
                    self._try(lambda: self._settle(owed), lambda: None)
            case Heard(url):
                self._heard.add(url)
                self._backlog.all_moved()
            case Silent(url):
                self._heard.discard(url)
            case _:
                pass
        self._telling.tell(event)

    def look(self) -> None:
        """Let time pass: see whether the disk takes frames again."""
        now_s = self.clock()
        self._telling.look()
        if self._backlog.shortage:
            if now_s - self._tried_s > RETRY_S:
                self._tried_s = now_s
                self._try(self._resume, lambda: None)
            return
        for owed in self._backlog.overdue():
            self._try(partial(self._look_after, owed), lambda: None)

    def close(self) -> None:
        """Say what is left in memory, and what was left out."""
        self._telling.look(at_once=True)
        waiting = self.spool.frames()
        if waiting:
            log.error(
                "%d frames are not recorded: they stay in memory (%s) until this "
                "computer is restarted; make room on the disk and start again",
                len(waiting),
                self.spool.folder,
            )
        self.spool.close()

    def _take_frame(self, frame: Frame, received_ns: int, sent_ns: int | None) -> None:
        if self._backlog.shortage:
            self._spool(frame, received_ns)
            return
        log.debug("%s", frame_in_words(frame), extra=of_frame(frame.stream, frame.seq))
        self._try(
            lambda: self._commit_in_turn(frame, received_ns, sent_ns),
            lambda: self._spool(frame, received_ns),
        )

    def _commit_in_turn(
        self, frame: Frame, received_ns: int, sent_ns: int | None
    ) -> None:
        if frame.seq > self.session.next_seq(frame.stream.id):
            self._spool(frame, received_ns)
            return
        self.recorder.commit_frame(frame, received_ns, sent_ns)
        self._backlog.moved(frame.stream)
        if self._backlog.find(frame.stream.id):
            self._drain(frame.stream)

    def _spool(self, frame: Frame, received_ns: int) -> None:
        self._backlog.owe_frame(frame)
        if not self.spool.put(frame, received_ns):
            about = of_frame(frame.stream, frame.seq)
            text = "frame %d finds no room in memory either"
            log.warning(text, frame.seq, extra=about)

    def _stream_of(self, spooled: Spooled) -> Stream:
        known = self._backlog.find(spooled.key.stream_id)
        return known.stream if known else self.spool.read(spooled).stream

    def _put_off(self, event: Gap | Ended) -> None:
        """Have the event once more when the disk takes it."""
        self._backlog.owe_word(event)
        if isinstance(event, Ended):
            self.incoming.put_off(event)

    def _take_word(self, event: Gap | Ended) -> None:
        """Record what is lost, or where the end is, unless frames before it wait."""
        stream, next_seq = event.stream, self.session.next_seq(event.stream.id)
        match event:
            case Gap(first=first, last=last, reason=reason) if first <= next_seq:
                self._lose(stream, max(first, next_seq), last, reason)
                self._drain(stream)
            case Ended(total=total) if total <= next_seq:
                self.recorder.commit_end(stream, total)
                self._backlog.settled(stream)
            case _:
                self._put_off(event)

    def _try(self, record: Callable[[], None], otherwise: Callable[[], None]) -> None:
        """Record something; where the disk does not take it, say so and go on."""
        try:
            record()
        except StorageError as error:
            otherwise()
            if self._backlog.shortage is None:
                text = f"NOT RECORDING: {error}"
                self._backlog.shortage = Shortage(text, self.wall_ns())
                log.error("%s; frames are kept in memory as long as they fit", text)
                self.journal.note("not recording", text)
            self.spool.say(self._backlog.shortage)

    def _resume(self) -> None:
        """Commit what waits, and ask for what had to give way."""
        self.recorder.check_space(self._backlog.largest_nbytes)
        waiting = self.spool.frames()
        for owed in self._backlog:
            self._drain(owed.stream)
        self._say_resumed(len(waiting) - len(self.spool.frames()))
        self._backlog.all_moved()
        for owed in self._backlog:
            if owed.is_abandoned or not self.incoming.gives_again(owed.stream):
                self._settle(owed)
            else:
                self._ask_again(owed.stream)

    def _look_after(self, owed: Owed) -> None:
        """Nothing has come of a stream for long: settle it if nobody has it."""
        if self._ask_again(owed.stream):
            if not self._waiting(owed.stream):
                self._backlog.settled(owed.stream)
        elif self._heard.issuperset(self.sources):
            self._settle(owed)

    def _ask_again(self, stream: Stream) -> bool:
        """Whether more of a stream can come, from the first that is missing."""
        next_seq = self.session.next_seq(stream.id)
        return self.incoming.rewind(Feed(Content.FRAME, stream), next_seq)

    def _say_resumed(self, recorded: int) -> None:
        ended = self._backlog.resume()
        since_ns = ended.since_ns if ended else self.wall_ns()
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
                break
            frame = self._read(spooled)
            if frame is None:
                self._ask_again(stream)
                break
            self._commit_spooled(spooled, frame)
        self.spool.close()

    def _waiting(self, stream: Stream) -> list[Spooled]:
        waiting = [s for s in self.spool.frames() if s.key.stream_id == stream.id]
        return sorted(waiting, key=lambda spooled: spooled.key.seq)

    def _commit_spooled(self, spooled: Spooled, frame: Frame) -> None:
        self.recorder.commit_frame(frame, spooled.received_ns)
        self._backlog.moved(frame.stream)
        self.spool.drop(spooled)

    def _read(self, spooled: Spooled) -> Frame | None:
        """A frame of the spool; None, and no more of it, if it is damaged."""
        try:
            return self.spool.read(spooled)
        except StorageError:
            raise
        except SessionError as error:
            log.error("%s", error)
            self.spool.drop(spooled)
            return None

    def _lose(self, stream: Stream, first: int, last: int, reason: str) -> None:
        """Write down what is lost of a range; what waits in memory is not."""
        gone = self.spool.evicted.get(stream.id, (0, -1))
        for spooled in self._waiting(stream):
            seq = spooled.key.seq
            frame = self._read(spooled) if first <= seq <= last else None
            if frame is None:
                continue
            if first < seq:
                self._commit_gap(stream, first, seq - 1, reason, gone)
            self._commit_spooled(spooled, frame)
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

    def _settle(self, owed: Owed) -> None:
        """Commit what waits of a stream whose source will not fill its holes."""
        stream, first = owed.stream, self.session.next_seq(owed.stream.id)
        if first <= owed.last:
            reason = "its source has not sent it once more"
            self._lose(stream, first, owed.last, reason)
        self._backlog.settled(stream)
        self.spool.close()
