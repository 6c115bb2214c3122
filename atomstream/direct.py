"""A recorded stack into a session without sockets: what `replay` and `serve` give."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from atomstream.engines import EngineChoice, files_of
from atomstream.outcome import outcome
from atomstream.progress import progress_bar
from atomstream.service.jobs import job_of
from inference.engines.engine import Job, analysed
from streamer.frame import Stream
from streamer.session.analyst import AnalysisRecorder
from streamer.session.creation import create_session
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import FrameKey
from streamer.stacks import Stack, open_stack

log = logging.getLogger("analyse")


def analyse_stack(
    path: Path,
    record: Path,
    channel: str | None,
    pixel_size_nm: float | None,
    estimate_pixel_size: bool,
    model: str,
    choice: EngineChoice,
) -> str:
    """Commit and analyse every frame that is not analysed yet; what came of it."""
    files = files_of(model)
    with (
        closing(choice.open(files, None, estimate_pixel_size, log_line)) as engine,
        open_stack(path, channel=channel, pixel_size_nm=pixel_size_nm) as stack,
    ):
        create_session(record)
        with (
            FrameRecorder(record) as frame_recorder,
            AnalysisRecorder(record) as analysis_recorder,
            SessionReader(record) as session,
            progress_bar("analysing") as report,
        ):
            stream = stream_of(stack, path)
            before = session.analyses(stream.id)
            frames = jobs(stack, stream, frame_recorder, session)
            for analysis in analysed(engine, frames):
                analysis_recorder.commit_analysis(analysis)
                report(analysis.seq + 1, len(stack))
            frame_recorder.commit_end(stream, len(stack))
            return outcome(len(stack), session.analyses(stream.id), before)


def jobs(
    stack: Stack, stream: Stream, recorder: FrameRecorder, session: SessionReader
) -> Iterator[Job]:
    """Each frame that is not analysed yet, after it was committed."""
    done = {key.seq for key in session.analysed(stream.id)}
    for seq in range(len(stack)):
        recorder.commit_frame(stack.frame(seq, stream), time.time_ns())
        if seq not in done:
            yield job_of(session, FrameKey(stream.id, seq))


def log_line(text: str) -> None:
    """Say what happens to the engine."""
    log.warning("%s", text)


def stream_of(stack: Stack, path: Path) -> Stream:
    """The same stream for the same file: an interrupted analysis can be resumed."""
    status = path.stat()
    facts = (
        path.resolve(), status.st_size, status.st_mtime_ns,
        stack.channel, stack.pixel_size_nm,
    )  # fmt: skip
    identity = uuid5(NAMESPACE_URL, repr(facts))
    return Stream(str(identity), stack.source, stack.channel)
