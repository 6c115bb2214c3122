"""The process that analyses: whatever is committed and has no analysis yet."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import zmq

from atomstream.service.tasks import Analyst
from atomstream.words import analysis_in_words
from inference.analyse import Analyser, History
from inference.model import load_model
from streamer.analysis import Analysis
from streamer.errors import SessionError
from streamer.frame import Stream
from streamer.messages import Content
from streamer.publisher import Publisher
from streamer.session.analyst import AnalysisRecorder
from streamer.session.reader import SessionReader
from streamer.session.records import FrameKey

log = logging.getLogger("analyse")
POLL_S = 0.05


def keep_analysing(task: Analyst, stopping: threading.Event) -> None:
    """Analyse, commit and publish until told to stop."""
    analyser = Analyser(
        load_model(task.model, task.threads),
        task.pixel_size_nm,
        task.estimate_pixel_size,
    )
    with (
        AnalysisRecorder(task.record) as recorder,
        SessionReader(task.record) as session,
        publisher_of(task) as publisher,
    ):
        for stream, count in what_can_be_recalled(session):
            publisher.announce(stream, count, Content.ANALYSIS)
        log.info("%s, publishing at %s", analyser.model.card.name, publisher.url)
        aside: set[FrameKey] = set()
        while not stopping.is_set():
            version = session.version()
            for key in session.pending():
                if key in aside:
                    continue
                try:
                    analysis = analyse(session, key, analyser)
                except SessionError as error:
                    aside.add(key)
                    set_aside(key, error, recorder)
                    continue
                recorder.commit_analysis(analysis)
                publisher.send(analysis)
                log.info("%s", analysis_in_words(analysis))
                if stopping.is_set():
                    return
            finished = end_streams(session, publisher, aside)
            if finished and task.until_end:
                return
            while session.version() == version and not stopping.wait(POLL_S):
                pass


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
            context, task.publish, recall=recall, option="--publish"
        ) as publisher:
            yield publisher


def analyse(session: SessionReader, key: FrameKey, analyser: Analyser) -> Analysis:
    """The analysis of a committed frame, or one that says that it failed."""
    frame = session.frame(*key)
    record = session.frame_record(*key)
    history = History(
        time_s=record.exposure.time_s,
        dose_e_nm2=record.exposure.dose_e_nm2,
        # A clock that was set back must not make an analysis faster than light.
        waited_s=max(0.0, (time.time_ns() - record.received_ns) * 1e-9),
    )
    try:
        return analyser.analyse(frame, history)
    except Exception:  # one frame must not stop the stream, whatever is wrong with it
        log.exception("frame %d of %s cannot be analysed", key.seq, key.stream_id)
        return analyser.give_up(frame, history)


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
