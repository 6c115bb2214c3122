"""The process that analyses: whatever is committed and has no analysis yet."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import zmq

from inference.analyse import Analyser, History
from inference.model import load_model
from streamer.analysis import Analysis
from streamer.errors import SessionError
from streamer.messages import Content
from streamer.publisher import Publisher
from streamer.session.analyst import AnalysisRecorder
from streamer.session.reader import SessionReader
from streamer.session.records import FrameKey

log = logging.getLogger("analyse")
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Analyst:
    """What the process needs to know."""

    record: Path
    """Session folder."""
    publish: str
    """Address at which analyses are published."""
    model: str
    threads: int
    pixel_size_nm: float | None
    until_end: bool
    """Stop when every stream has ended and is analysed."""

    def __call__(self, stopping: threading.Event) -> None:
        """Analyse, commit and publish until told to stop."""
        analyser = Analyser(load_model(self.model, self.threads), self.pixel_size_nm)
        with (
            AnalysisRecorder(self.record) as recorder,
            SessionReader(self.record) as session,
            self._publisher() as publisher,
        ):
            for record in session.streams():
                count = session.next_seq(record.stream.id)
                publisher.announce(record.stream, count, Content.ANALYSIS)
            log.info("%s, publishing at %s", analyser.model.card.name, publisher.url)
            while not stopping.is_set():
                version = session.version()
                for key in session.pending():
                    analysis = analyse(session, key, analyser)
                    recorder.commit_analysis(analysis)
                    publisher.send(analysis)
                    log.info("%s", in_words(analysis))
                    if stopping.is_set():
                        return
                finished = end_streams(session, publisher)
                if finished and self.until_end:
                    return
                while session.version() == version and not stopping.wait(POLL_S):
                    pass

    @contextmanager
    def _publisher(self) -> Iterator[Publisher]:
        # The publisher recalls in a thread of its own; a reader serves one at a time.
        with SessionReader(self.record) as archive, zmq.Context() as context:

            def recall(stream_id: str, seq: int) -> Analysis | None:
                try:
                    return archive.analysis(stream_id, seq)
                except SessionError:
                    return None

            with Publisher(
                context, self.publish, recall=recall, option="--publish"
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


def end_streams(session: SessionReader, publisher: Publisher) -> bool:
    """Say which streams are through; whether there are some, and all are."""
    streams = session.streams()
    through = [
        record
        for record in streams
        if record.total is not None and record.analyses == record.frames
        and session.next_seq(record.stream.id) >= record.total
    ]  # fmt: skip
    for record in through:
        publisher.end(record.stream)
    return len(through) == len(streams) > 0


def in_words(analysis: Analysis) -> str:
    """One line for the log."""
    summary = analysis.summary
    counts = ", ".join(f"{count} {name}" for name, count in summary.counts.items())
    flags = f" [{', '.join(analysis.flags)}]" if analysis.flags else ""
    return (
        f"frame {analysis.seq}: {counts}, crystallinity "
        f"{summary.mean_crystallinity:.3f}, {analysis.latency_s:.2f} s{flags}"
    )
