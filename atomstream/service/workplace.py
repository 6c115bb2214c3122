"""What is pending in a session goes through the engine and is kept, in order.

What cannot be kept, because the disk takes nothing, is published all the same: the
live view goes on. It is analysed once more when the disk takes it.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field

from atomstream.service.jobs import job_of, job_of_spooled
from atomstream.service.model_swap import ModelSwap
from atomstream.service.process import Lifeline
from atomstream.service.waiting import Waiting
from atomstream.words import analysis_in_words
from inference.engines.engine import Engine, Job
from streamer.analysis import Analysis
from streamer.errors import EngineError, SessionError, StorageError, WireError
from streamer.frame import Completeness
from streamer.log_fields import of_frame, of_stream_id
from streamer.publisher import Publisher
from streamer.session.analyst import AnalysisRecorder
from streamer.session.journal import Journal
from streamer.session.reader import SessionReader
from streamer.session.records import FrameKey
from streamer.session.spool import Spool, Spooled
from streamer.session.standing import Standing

log = logging.getLogger("analyse")
POLL_S = 0.05
RETRY_S = 2.0
"""Between two tries where a person must mend something."""
SPACE_RETRY_S = 0.5
"""Between two looks whether the disk takes analyses again."""
READ_PATIENCE_S = 30.0
"""How long the disk may keep back a frame that it has."""
TABLE_BYTES = 2**20
"""About what an analysis takes on the disk."""
TRIES = 3
"""A frame of which the process died so often is set aside."""


@dataclass
class Workplace:
    """One engine between a session and those who look on."""

    session: SessionReader
    recorder: AnalysisRecorder
    spool: Spool
    journal: Journal
    publisher: Publisher
    standing: Standing
    engine: Engine
    swap: ModelSwap
    _waiting: Waiting = field(default_factory=Waiting, init=False)
    _spooled: dict[FrameKey, Spooled] = field(default_factory=dict, init=False)
    """Those of the waiting that are in memory only."""
    _in_flight: set[FrameKey] = field(default_factory=set, init=False)
    _shown: set[FrameKey] = field(default_factory=set, init=False)
    """Published and not kept."""
    _tried: dict[FrameKey, int] = field(default_factory=dict, init=False)
    """How often an earlier process died with the frame in hand."""
    _version: int | None = field(default=None, init=False)
    """Of the session when it was last asked what is pending."""
    _told: str | None = field(default=None, init=False)
    """What keeps the engine from its work, as it was said last."""
    _refused: str | None = field(default=None, init=False)
    """Why the disk does not take analyses."""
    _asked_s: float = field(default=0.0, init=False)
    """When it was asked last."""

    _unread_since_s: float | None = field(default=None, init=False)
    """Since when the disk has not given the next frame."""
    _again_s: float = field(default=0.0, init=False)
    """When it is asked for it again."""

    def __post_init__(self) -> None:
        self._tried = {each.key: each.tries for each in self.session.attempts()}

    def work(self, lifeline: Lifeline) -> None:
        """Analyse until nothing is pending any more, or until told to stop."""
        while not lifeline.is_set():
            self.look()
            self._look_for_frames()
            if self._may_submit():
                self._submit(self._waiting.take(), lifeline)
            elif self._in_flight:
                self._collect_or_wait(lifeline)
            elif self._waiting:
                lifeline.wait(POLL_S)
            else:
                return

    def wait(self, lifeline: Lifeline) -> None:
        """Wait until there may be work, or until told to stop."""
        while self.session.version() == self._version and not self._unseen():
            if lifeline.wait(POLL_S):
                return
            self.look()

    def look(self) -> None:
        """See what is wished for, and whether what is found can be kept."""
        self.swap.look()
        if self._refused and time.monotonic() - self._asked_s > SPACE_RETRY_S:
            self._ask_for_space()
        shortage = self.spool.shortage()
        self.standing.refused = self._refused
        self.standing.shown = frozenset(self._shown)
        self.publisher.tell(shortage.reason if shortage else self._refused)

    def leave(self) -> None:
        """Give back what was begun: nobody died of it."""
        with suppress(SessionError):
            self.recorder.take_back(self._in_flight)
        for key in self._in_flight:
            self.spool.finish(key)

    def _ask_for_space(self) -> None:
        self._asked_s = time.monotonic()
        try:
            self.recorder.check_space(TABLE_BYTES)
        except StorageError:
            return
        self._refused = self._version = None
        log.warning("analyses are recorded again")
        self.journal.note("recording", "analyses again")

    def _refuse(self, error: StorageError) -> None:
        text = f"NOT RECORDING: {error}"
        if self._refused is None:
            log.error("%s; analyses are shown only", text)
            self.journal.note("not recording", text)
        self._refused, self._asked_s = text, time.monotonic()

    def _look_for_frames(self) -> None:
        # To ask for all at each frame would take long where very many wait.
        if self._waiting and not self._waiting.may_be_overtaken:
            return
        version = self.session.version()
        if version == self._version and (self._waiting or not self._unseen()):
            return
        self._version = version
        pending = self.session.pending_states()
        if not self._refused:
            self._shown.difference_update(pending)
        known = self._in_flight | self._shown
        fresh = [key for key in pending if key not in known]
        unseen = {k: each for k, each in self._unseen().items() if k not in pending}
        partial = [key for key in fresh if pending[key] is Completeness.PARTIAL]
        self._waiting.renew([*fresh, *unseen], frozenset(partial))
        under_way = {k: v for k, v in self._spooled.items() if k in self._in_flight}
        self._spooled = under_way | unseen

    def _unseen(self) -> dict[FrameKey, Spooled]:
        """Frames in memory that nobody was shown, oldest first."""
        return {
            each.key: each
            for each in self.spool.frames()
            if each.key not in self._shown and each.key not in self._in_flight
        }

    def _may_submit(self) -> bool:
        """Whether the next frame can go; one under suspicion goes alone."""
        if not self._waiting or self.engine.room <= 0:
            return False
        if time.monotonic() < self._again_s:
            return False
        alone = any(map(self._tries, [self._waiting.first(), *self._in_flight]))
        return not (alone and self._in_flight)

    def _tries(self, key: FrameKey) -> int:
        return self._tried.get(key, 0) + self.spool.tries(key)

    def _submit(self, key: FrameKey, lifeline: Lifeline) -> None:
        tries = self._tries(key)
        if tries >= TRIES:
            self._set_aside(key, f"the analysing process died of it {tries} times")
            lifeline.tell_progress()
            return
        try:
            job = self._job(key)
        except StorageError as error:
            self._unread(key, error)
            return
        except SessionError as error:
            self._leave_out(key, error)
            return
        self._unread_since_s = None
        self._begin(key)
        self._in_flight.add(key)
        self.engine.submit(job)

    def _unread(self, key: FrameKey, error: StorageError) -> None:
        """The disk does not give a frame now: it may do so later, if it has it."""
        now_s = time.monotonic()
        since_s = self._unread_since_s
        is_gone = isinstance(error.__cause__, FileNotFoundError)
        if is_gone or (since_s is not None and now_s - since_s > READ_PATIENCE_S):
            self._unread_since_s = None
            self._leave_out(key, error)
            return
        if since_s is None:
            self._unread_since_s = now_s
            about = of_stream_id(*key)
            log.warning("frame %d is tried again: %s", key.seq, error, extra=about)
        self._waiting.put_back(key)
        self._again_s = now_s + SPACE_RETRY_S

    def _leave_out(self, key: FrameKey, error: SessionError) -> None:
        if key in self._spooled:
            self._shown.add(key)
        else:
            self._set_aside(key, str(error))

    def _job(self, key: FrameKey) -> Job:
        spooled = self._spooled.get(key)
        if spooled is None:
            return job_of(self.session, key)
        return job_of_spooled(self.session, self.spool, spooled)

    def _begin(self, key: FrameKey) -> None:
        """Note that the frame is tried, before it can do harm."""
        self._tried.setdefault(key, 0)
        if key in self._spooled:
            self.spool.begin(key)
            return
        try:
            self.recorder.begin([key])
        except StorageError as error:
            self._refuse(error)
            self.spool.begin(key)

    def _set_aside(self, key: FrameKey, reason: str) -> None:
        """Leave a frame out, and let the stream go on."""
        text = f"frame {key.seq} of {key.stream_id} is set aside: {reason}"
        try:
            self.recorder.set_aside(key, reason)
        except StorageError as error:
            self._refuse(error)
        if key in self._spooled or self._refused:
            # Until it is committed, and that can be.
            self._tried[key] = self._tries(key)
            self._shown.add(key)
        else:
            # The index knows. Who has it tried again means all tries.
            self._tried.pop(key, None)
            self.spool.finish(key)
        log.error("%s", text, extra=of_stream_id(*key))
        self.journal.note("set aside", text)

    def _collect_or_wait(self, lifeline: Lifeline) -> None:
        """Wait a while where the workers cannot do it: a person can mend that."""
        try:
            self._collect(lifeline)
        except EngineError as error:
            text = f"nothing is analysed until this is mended: {error}"
            if text != self._told:
                log.warning("%s", text)
                self.journal.note("engine", text)
            self._told = text
            lifeline.wait(RETRY_S)

    def _collect(self, lifeline: Lifeline) -> None:
        analysis = self.engine.collect(POLL_S)
        if analysis is None:
            return
        self._told = None
        self.swap.note(analysis)
        key = FrameKey(analysis.stream.id, analysis.seq)
        self._in_flight.remove(key)
        self._tried.pop(key, None)
        self.spool.finish(key)
        if self._keep(key, analysis):
            self._publish(analysis)
        lifeline.tell_progress()

    def _publish(self, analysis: Analysis) -> None:
        about = of_frame(
            analysis.stream,
            analysis.seq,
            atoms=len(analysis.atoms),
            flags=[str(flag) for flag in analysis.flags],
            latency_s=round(analysis.latency_s, 3),
        )
        log.info("%s", analysis_in_words(analysis), extra=about)
        try:
            self.publisher.send(analysis)
        except WireError as error:
            # Its stream has ended, and it is tried again: who asks for it has it.
            text = "frame %d is recorded and not sent: %s"
            log.warning(text, analysis.seq, error, extra=about)

    def _keep(self, key: FrameKey, analysis: Analysis) -> bool:
        """Whether the analysis is news, kept or not."""
        try:
            return self.recorder.commit_analysis(analysis)
        except StorageError as error:
            self._refuse(error)
        except SessionError:
            if key not in self._spooled:
                raise
        self._shown.add(key)
        return True
