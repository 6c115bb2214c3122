"""A receiver's end of streams: everything in order, once, and nothing lost unsaid."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Self
from uuid import uuid4

import zmq

from streamer.acknowledging import Acknowledging
from streamer.analysis import Analysis
from streamer.attending import Attending
from streamer.errors import AtomstreamError, LinkError, WireError
from streamer.events import (
    Ended,
    Event,
    Gap,
    Heard,
    Hindered,
    Received,
    Rejected,
)
from streamer.following import Followings
from streamer.frame import Frame, Stream
from streamer.header import IDENTIFIER, is_identifier
from streamer.link import Link
from streamer.messages import (
    HEARTBEAT_TOPIC,
    SUBSCRIBER_TOPIC,
    End,
    Envelope,
    Feed,
    Heartbeat,
    Unavailable,
    feed_of,
)
from streamer.security import PLAIN, Connecting
from streamer.sequencer import Bounds
from streamer.start import FROM_FIRST, Start
from streamer.wire import unpack

EVERYTHING = ("",)
GREETING_S = 0.5
"""How long a publisher that is there may take to send its first heartbeat."""
TICK_S = 0.25
"""How often time-outs are looked at while nothing comes."""
MESSAGE_BYTES = 2048
"""What a waiting message costs beside its own bytes."""


@dataclass(frozen=True, slots=True)
class SubscriberStatistics:
    """What a subscriber has seen so far."""

    received: int
    """Frames and analyses handed over."""
    lost: int
    """Frames and analyses reported as gaps."""
    asked: int
    """Requests for what was missed."""
    rejected: int
    """Messages that do not follow the protocol."""


class Subscriber:
    """Receives the streams of one publisher or several, each in order and once.

    Works in the thread that calls `receive`, and only then. What is not fetched
    waits in bounded queues, and after that at the publisher.

    Parameters
    ----------
    context
        ZeroMQ context; stays the caller's.
    urls
        Publishers to connect to; they need not be there yet.
    security
        How each of `urls` is protected: plain, and on this computer alone, where
        nothing is said.
    start
        Where to begin in a stream that is already running.
    resume
        Next seq by stream id, for streams of which the caller has the rest.
    topics
        Prefixes of what is wanted: "frame/", "analysis/", "frame/nion/HAADF".
    name
        What the publishers know this subscriber by, 1 to 64 letters, digits, "_",
        "-" or ".". Give one that outlives the process when a restart shall count as
        the same subscriber, which a source then waits for; else each is new.
    bounds
        Limits on memory and time.
    clock, wall_ns
        Monotonic seconds, and ns since 1970 UTC.

    Raises
    ------
    LinkError
        An address cannot be one of a publisher, or the name is none.
    SecurityError
        A key is missing, or an address needs one.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        urls: Sequence[str],
        *,
        security: Mapping[str, Connecting] = MappingProxyType({}),
        start: Start = FROM_FIRST,
        resume: Mapping[str, int] = MappingProxyType({}),
        topics: Sequence[str] = EVERYTHING,
        name: str | None = None,
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        own_name = uuid4().hex if name is None else name
        if not is_identifier(own_name):
            raise LinkError(f"subscriber name {name!r}, expected {IDENTIFIER}")
        self._clock, self._wall_ns = clock, wall_ns
        self._feeds = Followings(start, resume, bounds)
        self._events = self._feeds.events
        self._attending = Attending(topics, self._feeds)
        self._acknowledging = Acknowledging(own_name, topics, self._feeds)
        self._received = self._lost = self._rejected = 0
        # Its own name as a topic tells the publisher who has joined, and who is gone.
        listening = (*topics, HEARTBEAT_TOPIC, SUBSCRIBER_TOPIC + own_name)
        self._links: list[Link] = []
        try:
            for url in urls:
                lock = security.get(url, PLAIN)
                link = Link(context, url, lock, listening, clock(), wall_ns)
                self._links.append(link)
        except AtomstreamError:
            self.close()
            raise

    def receive(self, timeout_s: float | None = None) -> Event | None:
        """The next event, or None when there is none within `timeout_s`.

        Asking for the next says that the one before has been taken care of: a source
        may go away once every subscriber has asked for more after the end.
        """
        self._acknowledging.acknowledge()
        deadline_s = self._clock() + (math.inf if timeout_s is None else timeout_s)
        while not self._events:
            remaining_s = deadline_s - self._clock()
            self._turn(min(TICK_S, max(0, remaining_s)))
            if remaining_s <= 0:
                break
        return self._hand_over() if self._events else None

    def put_off(self, ended: Ended) -> None:
        """The end that was just handed over could not be taken care of yet.

        Its source is not told that it may go; `rewind` brings the end again.
        """
        self._acknowledging.put_off(ended)

    def rewind(self, feed: Feed, seq: int) -> bool:
        """Have everything of a feed from `seq` on once more, its gaps and end too.

        Returns
        -------
        Whether more of it can come; not of a feed that its source has abandoned.
        """
        following = self._feeds.find(feed)
        if following is None or following.is_abandoned:
            return False
        following.is_taken = False
        following.sequencer.rewind(seq)
        self._feeds.go_on(following, self._clock())
        return True

    def gives_again(self, stream: Stream) -> bool:
        """Whether what came of `stream` and is lost here may come once more: always."""
        del stream
        return True

    def sockets(self) -> list[zmq.Socket[bytes]]:
        """Those in which something may come; another time they may be others."""
        return [socket for link in self._links for socket in link.sockets()]

    def statistics(self) -> SubscriberStatistics:
        """What this subscriber has seen so far."""
        return SubscriberStatistics(
            self._received, self._lost, self._feeds.asked, self._rejected
        )

    def close(self, *, leaves: bool = True) -> None:
        """Close the connections.

        With `leaves` it says good-bye: what it was handed last is taken care of, and
        it wants nothing more. Without, sources expect it back for a while.
        """
        if leaves:
            self._acknowledging.acknowledge()
            self._await_greeting()
        for link in self._links:
            if leaves:
                self._acknowledging.say_goodbye(link)
            link.close()
        self._links.clear()

    def _await_greeting(self) -> None:
        """Let who has just joined learn where it can say good-bye."""
        deadline_s = self._clock() + GREETING_S
        while self._clock() < deadline_s and any(
            link.is_heard and link.can_ask is None for link in self._links
        ):
            self._turn(TICK_S)
            self._events.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Who fails has not taken care of what it was handed; who is interrupted by
        # its user has had enough.
        self.close(leaves=not isinstance(error, Exception))

    def _turn(self, wait_s: float) -> None:
        """Wait for something to come; read one message of each socket that has one.

        No more than one, so that what waits stays in queues that are bounded.
        """
        poller = zmq.Poller()
        for socket in self.sockets():
            poller.register(socket, zmq.POLLIN)
        ready = dict(poller.poll(math.ceil(wait_s * 1000)))
        for link in self._links:
            now_s = self._clock()
            messages = list(link.read(ready))
            for parts in messages:
                self._take(link, parts, now_s)
            if not messages:
                self._attending.idle(link, now_s)
            if reason := link.hindrance():
                self._events.append(Hindered(link.url, reason))

    def _take(self, link: Link, parts: list[memoryview], now_s: float) -> None:
        """One message, whatever it is."""
        try:
            envelope = unpack(parts)
            if not link.is_heard:
                self._events.append(Heard(link.url))
            link.hear(now_s)
            nbytes = MESSAGE_BYTES + sum(len(part) for part in parts)
            self._understand(link, envelope, nbytes, now_s)
        except WireError as error:
            self._rejected += 1
            self._events.append(Rejected(link.url, str(error)))

    def _understand(
        self, link: Link, envelope: Envelope, nbytes: int, now_s: float
    ) -> None:
        """Let a valid message have its effect."""
        message = envelope.message
        match message:
            case Frame() | Analysis():
                following = self._feeds.follow(feed_of(message), link, now_s)
                if following.sequencer.is_past_end(message.seq):
                    raise WireError(
                        f"{following.feed.content} {message.seq} of stream "
                        f"{message.stream.id}, which has ended before it"
                    )
                received = Received(
                    message, envelope.sent_ns, self._wall_ns(), link.skew.ns
                )
                following.sequencer.arrive(message.seq, received, nbytes, now_s)
            case End(feed, total):
                following = self._feeds.follow(feed, link, now_s)
                following.sequencer.end(total)
            case Unavailable(feed, first, last, reason):
                following = self._feeds.follow(feed, link, now_s)
                following.sequencer.give_up(first, last, reason, now_s)
            case Heartbeat():
                link.skew.beat(envelope.sent_ns, self._wall_ns())
                self._attending.heartbeat(link, message, now_s)
                self._acknowledging.say_done(link)
                return
            case _:
                raise WireError("a message that publishers do not send")
        self._feeds.go_on(following, now_s)

    def _hand_over(self) -> Event:
        event = self._events.popleft()
        match event:
            case Received():
                self._received += 1
            case Gap(_, first, last):
                self._lost += last - first + 1
            case Ended():
                self._acknowledging.hand_over(event)
            case _:
                pass
        return event
