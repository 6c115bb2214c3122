"""`atomstream replay`: a recorded stack as a live stream."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
import zmq

from atomstream.calibrated import open_calibrated
from atomstream.commands.options import Channel, PixelSize, check_pixel_size
from streamer.analysis import FRAME_BUDGET_S
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.stacks.stack import Stack


def replay(
    stack: Annotated[
        Path,
        typer.Argument(
            metavar="STACK", help=".tif, .npy, .npz, .ndata, .h5, .nhdf or a session."
        ),
    ],
    bind: Annotated[
        str, typer.Option("--bind", metavar="URL", help="Where to publish.")
    ] = "tcp://127.0.0.1:5555",
    period: Annotated[
        float | None,
        typer.Option(
            metavar="S", min=0, help="Seconds from frame to frame; default 33.5."
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(metavar="X", min=0.001, help="Divides the period.")
    ] = 1.0,
    loop: Annotated[
        bool, typer.Option("--loop", help="Begin again at the end, as a new stream.")
    ] = False,
    pixel_size: PixelSize = None,
    channel: Channel = None,
    linger: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            min=0,
            help="Seconds to stay after the last frame for those who are behind; "
            "by default until everybody has everything.",
        ),
    ] = None,
) -> None:
    """Publish a recorded stack as if the microscope were making it now.

    All frames stay available: who connects late still gets every one.

    Example: atomstream replay movie.tif --period 2
    """
    check_pixel_size(pixel_size)
    interval_s = (FRAME_BUDGET_S if period is None else period) / speed
    with (
        open_calibrated(stack, channel, pixel_size) as frames,
        open_calibrated(stack, channel, pixel_size) as archive,
        zmq.Context() as context,
    ):
        streams: dict[str, Stream] = {}

        def recall(stream_id: str, seq: int) -> Frame | None:
            stream = streams.get(stream_id)
            known = stream is not None and seq < len(archive)
            return archive.frame(seq, stream) if known and stream else None

        # Nothing is kept in memory: the stack itself is the retention.
        with Publisher(context, bind, recall=recall, retention_bytes=0) as publisher:
            typer.echo(f"{len(frames)} frames of {frames.source} at {publisher.url}")
            while True:
                stream = Stream(str(uuid4()), frames.source, frames.channel)
                streams[stream.id] = stream
                play(frames, stream, publisher, interval_s, time.sleep)
                if not loop:
                    break
            typer.echo("all sent; waiting until everybody has them (Ctrl-C to stop)")
            wait_until_taken(publisher, linger)


def play(
    stack: Stack,
    stream: Stream,
    publisher: Publisher,
    interval_s: float,
    sleep: Callable[[float], None],
) -> None:
    """Publish each frame when it is due, and then the end."""
    start = time.monotonic()
    for index in range(len(stack)):
        # Deadlines from the start, so that delays do not add up.
        sleep(max(0.0, start + index * interval_s - time.monotonic()))
        publisher.send(stack.frame(index, stream))
    publisher.end(stream)


def wait_until_taken(publisher: Publisher, linger_s: float | None) -> None:
    """Return when somebody came and everybody has everything, or time is up."""
    if linger_s is not None:
        publisher.wait_until_delivered(linger_s)
        return
    while not publisher.wait_until_delivered(1.0):
        pass
