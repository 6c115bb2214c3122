"""`atomstream tap`: what travels on a stream, a line a message."""

from typing import Annotated

import typer
import zmq

from atomstream.commands.security import Insecure, Keys, ServerKey, connecting
from atomstream.words import event_in_words
from streamer.events import Received
from streamer.start import Start
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
    server_key: ServerKey = None,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """Print what travels on a stream: frames, analyses, gaps, ends.

    Example: atomstream tap tcp://127.0.0.1:5555
    """
    start = Start.first() if all_kept else Start.newest()
    named = [server_key] if server_key else []
    security = connecting([url], keys, named, insecure=insecure)
    with (
        zmq.Context() as context,
        Subscriber(context, [url], security=security, start=start) as stream,
    ):
        left = count
        while left is None or left > 0:
            event = stream.receive(POLL_S)
            if event is None:
                continue
            typer.echo(event_in_words(event))
            if left is not None and isinstance(event, Received):
                left -= 1
