"""A recorded stack published as if the microscope were making it now."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import zmq

from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.security import Binding
from streamer.stacks import Stack, open_stack

KEPT_BYTES = 64 * 2**20
"""Frames just sent, for a subscriber that is only a little behind."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What is played, where, and how fast."""

    path: Path
    channel: str | None
    pixel_size_nm: float | None
    bind: str
    security: Binding
    """Who may connect."""
    interval_s: float
    """From the start of one frame to that of the next."""
    loop: bool
    """Begin again at the end, as a new stream."""
    linger_s: float | None
    """How long to stay after the last frame; None: until everybody has everything."""
    streams: dict[str, Stream] = field(default_factory=dict)
    """Those played so far, by id."""

    def run(self, say: Callable[[str], None]) -> None:
        """Publish all frames, then wait for those who are behind."""
        with (
            self._open() as stack,
            self._open() as archive,
            zmq.Context() as context,
        ):

            def recall(stream_id: str, seq: int) -> Frame | None:
                stream = self.streams.get(stream_id)
                if stream is None or seq >= len(archive):
                    return None
                return archive.frame(seq, stream)

            # Little is kept in memory: the stack itself is the retention.
            with Publisher(
                context,
                self.bind,
                security=self.security,
                recall=recall,
                retention_bytes=KEPT_BYTES,
            ) as publisher:
                say(f"{len(stack)} frames of {stack.source} at {publisher.url}")
                self._play(stack, publisher)
                while self.loop:
                    self._play(stack, publisher)
                say("all sent; waiting until everybody has them (Ctrl-C to stop)")
                wait_until_taken(publisher, self.linger_s)

    def _open(self) -> Stack:
        return open_stack(
            self.path, channel=self.channel, pixel_size_nm=self.pixel_size_nm
        )

    def _play(self, stack: Stack, publisher: Publisher) -> None:
        stream = Stream(str(uuid4()), stack.source, stack.channel)
        self.streams[stream.id] = stream
        start = time.monotonic()
        for seq in range(len(stack)):
            # Deadlines from the start, so that delays do not add up.
            due = start + seq * self.interval_s
            time.sleep(max(0.0, due - time.monotonic()))
            publisher.send(stack.frame(seq, stream))
        publisher.end(stream)


def wait_until_taken(publisher: Publisher, linger_s: float | None) -> None:
    """Return when somebody came and everybody has everything, or time is up."""
    if linger_s is not None:
        publisher.wait_until_delivered(linger_s)
        return
    while not publisher.wait_until_delivered(1.0):
        pass
