"""`atomstream analyze`: a recorded stack into a session, as fast as it goes."""

import time
from pathlib import Path
from typing import Annotated
from uuid import NAMESPACE_URL, uuid5

import typer

from atomstream.calibrated import open_calibrated
from atomstream.commands.options import (
    Channel,
    ModelName,
    PixelSize,
    Threads,
    check_pixel_size,
)
from atomstream.progress import progress_bar
from atomstream.service.analysis import analyse
from inference.analyse import Analyser
from inference.model import DEFAULT, load_model
from streamer.frame import Stream
from streamer.session.analyst import AnalysisRecorder
from streamer.session.creation import create_session
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import FrameKey
from streamer.stacks.stack import Stack


def analyze(
    stack: Annotated[
        Path,
        typer.Argument(
            metavar="STACK", help=".tif, .npy, .npz, .ndata, .h5, .nhdf or a session."
        ),
    ],
    record: Annotated[
        Path, typer.Option("--record", metavar="DIR", help="Session folder.")
    ],
    model: ModelName = DEFAULT,
    pixel_size: PixelSize = None,
    channel: Channel = None,
    threads: Threads = 2,
) -> None:
    """Find the atoms of every frame of a recorded stack.

    Gives, bit for bit, what `replay` and `serve` would give. Interrupted, the same
    command goes on where it was.

    Example: atomstream analyze movie.tif --record runs/movie
    """
    check_pixel_size(pixel_size)
    analyser = Analyser(load_model(model, threads))
    with open_calibrated(stack, channel, pixel_size) as frames:
        create_session(record)
        with (
            FrameRecorder(record) as frame_recorder,
            AnalysisRecorder(record) as analysis_recorder,
            SessionReader(record) as session,
            progress_bar("analysing") as report,
        ):
            stream = stream_of(frames, stack)
            done = {key.seq for key in session.analysed(stream.id)}
            for index in range(len(frames)):
                frame_recorder.commit_frame(frames.frame(index, stream), time.time_ns())
                if index not in done:
                    analysis = analyse(session, FrameKey(stream.id, index), analyser)
                    analysis_recorder.commit_analysis(analysis)
                report(index + 1, len(frames))
            frame_recorder.commit_end(stream, len(frames))
    typer.echo(f"{len(frames)} frames in {record}")


def stream_of(stack: Stack, path: Path) -> Stream:
    """The same stream for the same file: an interrupted analysis can be resumed."""
    status = path.stat()
    facts = (
        path.resolve(), status.st_size, status.st_mtime_ns,
        stack.channel, stack.pixel_size_nm,
    )  # fmt: skip
    identity = uuid5(NAMESPACE_URL, repr(facts))
    return Stream(str(identity), stack.source, stack.channel)
