"""A source's end of a stream: sends frames or analyses, and never waits for anyone."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Thread
from types import TracebackType
from typing import Self

import zmq

from streamer.catalogue import Catalogue, Recall, key_of
from streamer.endpoint import Address
from streamer.errors import LinkError
from streamer.frame import Frame, Stream
from streamer.messages import Carried, Content, End, Feed, feed_of
from streamer.retention import Retention
from streamer.security import PLAIN, Binding
from streamer.service_state import ServiceState
from streamer.stand import Stand
from streamer.transmitter import Outbox, Transmitter
from streamer.wire import pack

RETENTION_BYTES = 512 * 2**20
CLOSING_S = 10.0
"""How long a recall that is under way may keep `close` waiting."""


@dataclass(frozen=True, slots=True)
class PublisherStatistics:
    """What a publisher has done so far."""

    sent: int
    """Frames and analyses sent live."""
    unsent: int
    """Those that wait for it: more than a few, and the source is faster than the
    network thread."""
    sent_bytes: int
    """Bytes of their payloads."""
    caught_up: int
    """Answers to subscribers that asked for what they missed."""
    rejected: int
    """Requests that made no sense."""
    refused: int
    """Connections of those who are not allowed."""
    kept_bytes: int
    """What retention holds now."""
    subscribers: int
    """Subscribers connected now."""
    joined: int
    """Subscribers that have ever connected."""


class Publisher:
    """Sends frames and analyses to whoever subscribes, now or later.

    Parameters
    ----------
    context
        ZeroMQ context; stays the caller's.
    bind
        "tcp://HOST:PORT" or "ipc://PATH"; port 0 or "*" takes any free one. Catch-up
        is bound beside it: at the next port, or at the same path + ".catchup".
    security
        Who may connect: with keys those on their allow-list, from anywhere; plain
        anybody, but from this computer alone unless told otherwise.
    recall
        Gives message `seq` of stream id again, for a source that keeps everything
        itself; None for what it never had, or in words why it cannot be had. Called
        in the publisher's thread, which sends nothing else meanwhile.
    state
        Gives what heartbeats say of the service that publishes. Called in the
        publisher's thread before each; must not raise.
    retention_bytes
        How much of what was sent is kept for those who missed it; with `recall` it
        only has to hold what is sent faster than the network takes it.
    heartbeat_s
        Time between two heartbeats.
    option
        The command line's name for `bind`, for error messages.
    clock, wall_ns
        Monotonic seconds, and ns since 1970 UTC.

    Raises
    ------
    LinkError
        The address cannot be used.
    SecurityError
        A key is missing, or the address needs one.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        bind: str,
        *,
        security: Binding = PLAIN,
        recall: Recall | None = None,
        state: Callable[[], ServiceState | None] = lambda: None,
        retention_bytes: int = RETENTION_BYTES,
        heartbeat_s: float = 1.0,
        option: str = "--bind",
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._clock, self._wall_ns = clock, wall_ns
        stand = Stand.open(context, Address.parse(bind), security, option)
        self.url = stand.url
        """Where subscribers connect."""
        self._retention = Retention(retention_bytes)
        self._outbox = Outbox(Catalogue(self._retention, recall))
        self._transmitter = Transmitter(
            stand, self._outbox, heartbeat_s, clock, wall_ns, state
        )
        self._thread = Thread(target=self._transmitter.run, name=f"publisher {bind}")
        self._thread.daemon = True
        self._thread.start()

    def send(self, message: Carried) -> None:
        """Send a frame or an analysis; returns at once, whatever subscribers do.

        An image that can still be written to is copied first. One that is read-only
        is sent from where it lies, and must really not change any more.

        Raises
        ------
        WireError
            The message breaks a limit of the protocol, or its stream has ended.
        LinkError
            The publisher is closed.
        """
        parts = pack(own(message), self._wall_ns())
        self._check_open()
        with self._outbox.changed:
            self._outbox.catalogue.keep(message, parts)
            self._outbox.live.append((key_of(feed_of(message)), message.seq))
        self._outbox.bell.ring()

    def announce(
        self, stream: Stream, count: int, content: Content = Content.FRAME
    ) -> None:
        """Say that a stream exists, of which `count` messages can be recalled.

        For a source that was restarted and keeps what it sent before.

        Raises
        ------
        WireError
            The stream breaks a limit of the protocol, or has ended.
        """
        feed = Feed(content, stream)
        # What this message can carry, every heartbeat can.
        pack(End(feed, count), self._wall_ns())
        with self._outbox.changed:
            self._outbox.catalogue.announce(feed, count)

    def end(self, stream: Stream) -> None:
        """Say that nothing more will come of a stream."""
        with self._outbox.changed:
            self._outbox.live += self._outbox.catalogue.end(stream.id)
        self._outbox.bell.ring()

    def tell(self, notice: str | None) -> None:
        """Say what people should know, now and in each heartbeat; None: no more."""
        if notice != self._outbox.notice:
            self._outbox.notice = notice
            self._outbox.bell.ring()

    def wait_for_subscriber(self, timeout_s: float) -> bool:
        """Whether somebody is connected, at once or within `timeout_s`."""
        roster, changed = self._outbox.roster, self._outbox.changed
        with changed:
            return changed.wait_for(lambda: roster.present > 0, timeout_s)

    def wait_until_delivered(self, timeout_s: float) -> bool:
        """Whether everybody who joined has everything, within `timeout_s`.

        False as well when a stream has not ended or nobody has joined. Who left
        politely is not waited for; who vanished without a word is, for a minute.
        """
        with self._outbox.changed:
            return self._outbox.changed.wait_for(self._is_delivered, timeout_s)

    def statistics(self) -> PublisherStatistics:
        """What this publisher has done so far."""
        counts, roster = self._transmitter.counts, self._outbox.roster
        with self._outbox.changed:
            return PublisherStatistics(
                sent=counts.sent,
                unsent=len(self._outbox.live),
                sent_bytes=counts.sent_bytes,
                caught_up=counts.caught_up,
                rejected=counts.rejected,
                refused=self._transmitter.refused,
                kept_bytes=self._retention.nbytes,
                subscribers=roster.present,
                joined=roster.joined,
            )

    def close(self, linger_s: float = 1.0) -> None:
        """Send what is queued, for `linger_s` at most, and give the address back."""
        self._outbox.linger_s = linger_s
        self._outbox.bell.ring()
        self._thread.join(CLOSING_S)
        if not self._thread.is_alive():
            self._outbox.bell.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if not self._thread.is_alive():
            raise LinkError(f"the publisher at {self.url} is closed")

    def _is_delivered(self) -> bool:
        ended = self._outbox.catalogue.ended()
        return ended is not None and self._outbox.roster.have(ended, self._clock())


def own(message: Carried) -> Carried:
    """`message` with an image that nobody else can change."""
    if isinstance(message, Frame) and message.image.flags.writeable:
        image = message.image.copy()
        image.flags.writeable = False
        return replace(message, image=image)
    return message
