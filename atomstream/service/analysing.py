"""The process that analyses: whatever is committed and has no analysis yet."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import zmq

from atomstream.service.model_swap import ModelSwap
from atomstream.service.opening import engine_of
from atomstream.service.process import DRAIN_S, Lifeline
from atomstream.service.tasks import Analyst
from atomstream.service.workplace import Workplace
from atomstream.words import model_in_words
from streamer.catalogue import Recalled
from streamer.errors import SessionError
from streamer.frame import Stream
from streamer.messages import Content, is_loss
from streamer.publisher import Publisher
from streamer.session.analyst import AnalysisRecorder
from streamer.session.journal import Journal
from streamer.session.reader import SessionReader
from streamer.session.spool import Spool
from streamer.session.standing import Standing

log = logging.getLogger("analyse")


def keep_analysing(task: Analyst, lifeline: Lifeline) -> None:
    """Analyse, commit and publish until told to stop."""
    with (
        AnalysisRecorder(task.record, DRAIN_S + 2) as recorder,
        SessionReader(task.record) as session,
        standing_of(task, lifeline) as standing,
        publisher_of(task, standing) as publisher,
    ):
        journal = Journal(recorder.commit_event)
        with engine_of(task, journal, lifeline) as engine:
            if engine is None:
                return
            for stream, count in what_can_be_recalled(session):
                publisher.announce(stream, count, Content.ANALYSIS)
            log.info(
                "%s, publishing at %s", model_in_words(engine.model), publisher.url
            )
            swap = ModelSwap(session, journal, engine, task.run)
            work_until_told(
                Workplace(
                    session,
                    recorder,
                    standing.spool,
                    journal,
                    publisher,
                    standing,
                    engine,
                    swap,
                ),
                lifeline,
                until_end=task.until_end,
            )


def work_until_told(place: Workplace, lifeline: Lifeline, *, until_end: bool) -> None:
    """Analyse what is there and what comes."""
    try:
        while not lifeline.is_set():
            place.work(lifeline)
            if lifeline.is_set():
                return
            lifeline.tell_progress()
            finished = end_streams(place.session, place.publisher)
            if finished and until_end:
                return
            place.wait(lifeline)
    finally:
        place.leave()


def end_streams(session: SessionReader, publisher: Publisher) -> bool:
    """Say which streams are through; whether there are some, and all are."""
    streams = session.streams()
    through = [
        record
        for record in streams
        if record.total is not None
        and record.analyses + record.aside == record.frames
        and session.next_seq(record.stream.id) >= record.total
    ]  # fmt: skip
    for record in through:
        publisher.end(record.stream)
    return len(through) == len(streams) > 0


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
def standing_of(task: Analyst, lifeline: Lifeline) -> Iterator[Standing]:
    """How the session and its service stand, for the thread of the publisher."""
    restarts = lifeline.restarts.counts
    with SessionReader(task.record) as session:
        yield Standing(session, Spool.of(task.record), restarts=restarts)


@contextmanager
def publisher_of(task: Analyst, standing: Standing) -> Iterator[Publisher]:
    """A publisher that recalls every analysis, and says how the session stands."""
    # It recalls in a thread of its own; a reader serves one thread at a time.
    with SessionReader(task.record) as archive, zmq.Context() as context:

        def recall(stream_id: str, seq: int) -> Recalled | str | None:
            try:
                analysis = archive.analysis(stream_id, seq)
                return Recalled(analysis, archive.analysed_ns(stream_id, seq))
            except SessionError:
                reason = archive.gap_reason(stream_id, seq)
                # Of frames that are lost it is enough to say that there is none.
                return None if reason is None or is_loss(reason) else reason

        with Publisher(
            context,
            task.publish,
            security=task.security,
            recall=recall,
            state=standing.state,
            option="--publish",
        ) as publisher:
            yield publisher
