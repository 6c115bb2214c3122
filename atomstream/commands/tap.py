"""`atomstream tap`: what travels on a stream, a line a message."""

from dataclasses import dataclass, field
from typing import Annotated

import typer
import zmq

from atomstream.commands.bridges import refuse_bridges, shared_in_words
from atomstream.commands.security import Insecure, Keys, ServerKey, connecting
from atomstream.words import event_in_words
from streamer.events import Event, Gap, Received
from streamer.incoming import open_incoming
from streamer.messages import Content, feed_of
from streamer.start import Start

POLL_S = 0.5


@dataclass
class Missed:
    """What came on each stream before this command listened."""

    all_kept: bool
    """Whether it asked for what is still kept."""
    _begun: set[tuple[Content, str]] = field(default_factory=set)

    def before(self, event: Event) -> str | None:
        """A line about what the first event of a stream does not show."""
        match event:
            case Received(message=message):
                key, first = (feed_of(message).content, message.stream.id), message.seq
            case Gap(stream=stream, first=first, content=content):
                key = content, stream.id
            case _:
                return None
        if key in self._begun:
            return None
        self._begun.add(key)
        if first == 0:
            return None
        frames = "frame 0" if first == 1 else f"frames 0 to {first - 1}"
        why = "not kept" if self.all_kept else "came before; --all shows those kept"
        return f"{key[0]} stream {key[1]}: {frames} missed ({why})"


def tap(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Any publisher, or a karabo-bridge.")
    ],
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

    What came before the first that is printed is said in a line.

    Examples: atomstream tap tcp://127.0.0.1:5555,
    atomstream tap "karabo+tcp://127.0.0.1:4545?pattern=sub"
    """
    if all_kept:
        refuse_bridges([url], "it keeps nothing; omit --all")
    start = Start.first() if all_kept else Start.newest()
    named = [server_key] if server_key else []
    security = connecting([url], keys, named, insecure=insecure)
    if told := shared_in_words(url):
        typer.echo(told, err=True)
    with (
        zmq.Context() as context,
        open_incoming(context, [url], security=security, start=start) as stream,
    ):
        left, missed = count, Missed(all_kept)
        while left is None or left > 0:
            event = stream.receive(POLL_S)
            if event is None:
                continue
            if told := missed.before(event):
                typer.echo(told)
            typer.echo(event_in_words(event))
            if left is not None and isinstance(event, Received):
                left -= 1
