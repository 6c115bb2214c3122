"""The process that analyses: whatever is committed and has no analysis yet."""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import zmq

from atomstream.engines import files_of
from atomstream.service.model_in_use import files_in_use, in_use, remember
from atomstream.service.model_swap import ModelSwap, named
from atomstream.service.model_wish import withdraw_all
from atomstream.service.tasks import Analyst
from atomstream.words import analysis_in_words
from inference.analyse import History
from inference.engines.engine import Engine, Job
from inference.model_files import ModelFiles
from streamer.analysis import Analysis
from streamer.errors import AtomstreamError, EngineError, SessionError
from streamer.frame import Stream
from streamer.messages import Content
from streamer.publisher import Publisher
from streamer.session.analyst import AnalysisRecorder
from streamer.session.reader import SessionReader
from streamer.session.records import FrameKey

log = logging.getLogger("analyse")
POLL_S = 0.05
RETRY_S = 2.0
"""Between two tries where a person must mend something."""


def keep_analysing(task: Analyst, stopping: threading.Event) -> None:
    """Analyse, commit and publish until told to stop."""
    with (
        AnalysisRecorder(task.record) as recorder,
        SessionReader(task.record) as session,
        publisher_of(task) as publisher,
        engine_of(task, recorder, stopping) as engine,
    ):
        if engine is None:
            return
        for stream, count in what_can_be_recalled(session):
            publisher.announce(stream, count, Content.ANALYSIS)
        log.info("%s, publishing at %s", named(engine.model), publisher.url)
        swap = ModelSwap(session, recorder, engine, task.run)
        bench = Bench(session, recorder, publisher, engine, swap)
        while not stopping.is_set():
            version = session.version()
            bench.work(stopping)
            if stopping.is_set():
                return
            finished = end_streams(session, publisher, bench.aside)
            if finished and task.until_end:
                return
            while session.version() == version and not stopping.wait(POLL_S):
                swap.look()


@contextmanager
def engine_of(
    task: Analyst, recorder: AnalysisRecorder, stopping: threading.Event
) -> Iterator[Engine | None]:
    """The engine with the model in use; None when told to stop before there is one."""

    def tell(text: str) -> None:
        log.warning("%s", text)
        recorder.commit_event(time.time_ns(), "engine", text)

    engine = opened(task, tell, stopping)
    try:
        yield engine
    finally:
        if engine is not None:
            engine.close()


def opened(
    task: Analyst, tell: Callable[[str], None], stopping: threading.Event
) -> Engine | None:
    """The engine, at its first start with the model that the task names.

    After a crash it goes on with the model that it had, and while that cannot be used
    it waits: frames are received all the same.

    Raises
    ------
    ModelError, SettingsError, EngineError
        At the first start: it cannot be used.
    """
    before = in_use(task.record, task.run)
    if before is None:
        # Here nobody else analyses the session, so what is in it is of an earlier one.
        withdraw_all(task.record)
        files = files_of(task.model)
        remember(task.record, task.run, task.model, files)
        return engine_with(task, files, tell)
    told = ""
    while not stopping.is_set():
        try:
            return engine_with(task, files_in_use(task.record, before), tell)
        except AtomstreamError as error:
            text = f"nothing is analysed until this is mended: {error}"
            if text != told:
                tell(text)
            told = text
        stopping.wait(RETRY_S)
    return None


def engine_with(
    task: Analyst, files: ModelFiles, tell: Callable[[str], None]
) -> Engine:
    """The engine that a task wants, at work with a model."""
    return task.engine.open(files, task.pixel_size_nm, task.estimate_pixel_size, tell)


@dataclass
class Bench:
    """What is pending in a session goes through the engine and is kept, in order."""

    session: SessionReader
    recorder: AnalysisRecorder
    publisher: Publisher
    engine: Engine
    swap: ModelSwap
    aside: set[FrameKey] = field(default_factory=set, init=False)
    """Frames that cannot be read back from the disk."""
    _waiting: deque[FrameKey] = field(default_factory=deque, init=False)
    _in_flight: set[FrameKey] = field(default_factory=set, init=False)
    _version: int | None = field(default=None, init=False)
    """Of the session when it was last asked what is pending."""
    _told: str | None = field(default=None, init=False)
    """What keeps the engine from its work, as it was said last."""

    def work(self, stopping: threading.Event) -> None:
        """Analyse until nothing is pending any more, or until told to stop."""
        while not stopping.is_set():
            self.swap.look()
            self._look_for_frames()
            if self._waiting and self.engine.room > 0:
                self._submit(self._waiting.popleft())
            elif self._in_flight:
                self._collect_or_wait(stopping)
            else:
                return

    def _look_for_frames(self) -> None:
        version = self.session.version()
        if self._waiting or version == self._version:
            return
        self._version = version
        known = self._in_flight | self.aside
        self._waiting.extend(key for key in self.session.pending() if key not in known)

    def _submit(self, key: FrameKey) -> None:
        try:
            self.engine.submit(job_of(self.session, key))
            self._in_flight.add(key)
        except SessionError as error:
            self.aside.add(key)
            set_aside(key, error, self.recorder)

    def _collect_or_wait(self, stopping: threading.Event) -> None:
        """Wait a while where the workers cannot do it: a person can mend that."""
        try:
            self._collect()
        except EngineError as error:
            text = f"nothing is analysed until this is mended: {error}"
            if text != self._told:
                log.warning("%s", text)
                self.recorder.commit_event(time.time_ns(), "engine", text)
            self._told = text
            stopping.wait(RETRY_S)

    def _collect(self) -> None:
        analysis = self.engine.collect(POLL_S)
        if analysis is None:
            return
        self._told = None
        self.swap.note(analysis)
        self._in_flight.remove(FrameKey(analysis.stream.id, analysis.seq))
        if self.recorder.commit_analysis(analysis):
            self.publisher.send(analysis)
            log.info("%s", analysis_in_words(analysis))


def what_can_be_recalled(session: SessionReader) -> Iterator[tuple[Stream, int]]:
    """Each stream with the number of its analyses before the first that is missing.

    A frame that was lost has none and is not missing: its gap is known.
    """
    pending = session.pending()
    for record in session.streams():
        stream = record.stream
        waiting = [key.seq for key in pending if key.stream_id == stream.id]
        yield stream, min(waiting, default=session.next_seq(stream.id))


@contextmanager
def publisher_of(task: Analyst) -> Iterator[Publisher]:
    """A publisher that recalls every analysis from the session."""
    # It recalls in a thread of its own; a reader serves one thread at a time.
    with SessionReader(task.record) as archive, zmq.Context() as context:

        def recall(stream_id: str, seq: int) -> Analysis | None:
            try:
                return archive.analysis(stream_id, seq)
            except SessionError:
                return None

        with Publisher(
            context,
            task.publish,
            security=task.security,
            recall=recall,
            option="--publish",
        ) as publisher:
            yield publisher


def job_of(session: SessionReader, key: FrameKey) -> Job:
    """A committed frame and what the session knows of its past.

    Raises
    ------
    SessionError
        It cannot be read back from the disk.
    """
    record = session.frame_record(*key)
    history = History(
        time_s=record.exposure.time_s,
        dose_e_nm2=record.exposure.dose_e_nm2,
        # A clock that was set back must not make an analysis faster than light.
        waited_s=max(0.0, (time.time_ns() - record.received_ns) * 1e-9),
    )
    return Job(session.frame(*key), history)


def set_aside(key: FrameKey, error: SessionError, recorder: AnalysisRecorder) -> None:
    """Say that a frame cannot be read back from the disk, and let the stream go on."""
    text = f"frame {key.seq} of {key.stream_id} is set aside: {error}"
    log.error("%s", text)
    recorder.commit_event(time.time_ns(), "set aside", text)


def end_streams(
    session: SessionReader, publisher: Publisher, aside: set[FrameKey]
) -> bool:
    """Say which streams are through; whether there are some, and all are."""
    streams = session.streams()
    unreadable = Counter(key.stream_id for key in aside)
    through = [
        record
        for record in streams
        if record.total is not None
        and record.analyses + unreadable[record.stream.id] == record.frames
        and session.next_seq(record.stream.id) >= record.total
    ]  # fmt: skip
    for record in through:
        publisher.end(record.stream)
    return len(through) == len(streams) > 0
