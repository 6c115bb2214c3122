"""`atomstream tap`: what travels on a stream, a line a message."""

from typing import Annotated

import typer
import zmq

from atomstream.service import analysis, receiver
from streamer.analysis import Analysis
from streamer.events import Event, Joined, Received
from streamer.frame import Frame
from streamer.sequencer import Start
from streamer.subscriber import Subscriber

POLL_S = 0.5


def tap(
    url: Annotated[str, typer.Argument(metavar="URL", help="Any publisher.")],
    all_kept: Annotated[
        bool, typer.Option("--all", help="Begin with the oldest that is still kept.")
    ] = False,
    count: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Stop after N frames or analyses."),
    ] = None,
) -> None:
    """Print what travels on a stream: frames, analyses, gaps, ends.

    Example: atomstream tap tcp://127.0.0.1:5555
    """
    start = Start.first() if all_kept else Start.newest()
    with zmq.Context() as context, Subscriber(context, [url], start=start) as stream:
        left = count
        while left is None or left > 0:
            event = stream.receive(POLL_S)
            if event is None:
                continue
            typer.echo(in_words(event))
            if left is not None and isinstance(event, Received):
                left -= 1


def in_words(event: Event) -> str:
    """One line about an event."""
    match event:
        case Received(message=Frame() as frame):
            return frame_in_words(frame)
        case Received(message=Analysis() as found):
            return f"analysis {found.stream.channel} {analysis.in_words(found)}"
        case Joined(stream=stream, content=content):
            name = f"{stream.source} / {stream.channel}"
            return f"{content} stream {stream.id}: {name}"
        case _:
            return receiver.in_words(event)


def frame_in_words(frame: Frame) -> str:
    """One line about a frame."""
    rows, cols = frame.shape
    size = f"{frame.pixel_size_nm:g} nm" if frame.pixel_size_nm else "not calibrated"
    return (
        f"frame {frame.stream.channel} {frame.seq}: {rows} x {cols} "
        f"{frame.image.dtype}, pixel {size}, {frame.completeness}"
    )
