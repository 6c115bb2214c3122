"""Whatever frames come from, one source or several of different kinds together."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Protocol, Self

import zmq

from streamer.errors import SecurityError
from streamer.events import Ended, Event
from streamer.frame import Stream
from streamer.karabo.address import KaraboAddress, is_karabo
from streamer.karabo.receiver import KaraboReceiver
from streamer.messages import Feed
from streamer.security import PLAIN, Connecting, CurveClient
from streamer.start import FROM_FIRST, Start
from streamer.subscriber import EVERYTHING, Subscriber

TICK_S = 0.25
"""How often time-outs are looked at while nothing comes."""


class Incoming(Protocol):
    """The events of sources, as `Subscriber` has them."""

    def receive(self, timeout_s: float | None = None) -> Event | None:
        """The next event, or None when there is none within `timeout_s`."""

    def put_off(self, ended: Ended) -> None:
        """The end that was just handed over could not be taken care of yet."""

    def rewind(self, feed: Feed, seq: int) -> bool:
        """Have a feed from `seq` on once more; whether more of it can come."""

    def gives_again(self, stream: Stream) -> bool:
        """Whether what came of `stream` and is lost here may come once more."""

    def sockets(self) -> list[zmq.Socket[bytes]]:
        """Those in which something may come; another time they may be others."""

    def close(self, *, leaves: bool = True) -> None:
        """Close the connections; with `leaves`, sources need not wait."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Together:
    """Several incomings as one: each has its turn, so that none holds up another.

    Parameters
    ----------
    each
        What this one closes.
    clock
        Monotonic seconds.
    """

    def __init__(
        self, each: Sequence[Incoming], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._each, self._clock = list(each), clock

    def receive(self, timeout_s: float | None = None) -> Event | None:
        """The next event of any, or None when there is none within `timeout_s`."""
        deadline_s = self._clock() + (math.inf if timeout_s is None else timeout_s)
        while True:
            for incoming in list(self._each):
                # Who has had its turn is last at the next.
                self._each.append(self._each.pop(0))
                if (event := incoming.receive(0)) is not None:
                    return event
            remaining_s = deadline_s - self._clock()
            if remaining_s <= 0:
                return None
            self._wait(min(TICK_S, remaining_s))

    def put_off(self, ended: Ended) -> None:
        """Tell whoever knows the stream."""
        for incoming in self._each:
            incoming.put_off(ended)

    def rewind(self, feed: Feed, seq: int) -> bool:
        """Whether any can give more of a feed."""
        return any(incoming.rewind(feed, seq) for incoming in self._each)

    def gives_again(self, stream: Stream) -> bool:
        """False where one that has the stream sends nothing again."""
        return all(incoming.gives_again(stream) for incoming in self._each)

    def sockets(self) -> list[zmq.Socket[bytes]]:
        """Those of all."""
        return [socket for incoming in self._each for socket in incoming.sockets()]

    def close(self, *, leaves: bool = True) -> None:
        """Close all."""
        for incoming in self._each:
            incoming.close(leaves=leaves)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with ExitStack() as stack:
            for incoming in self._each:
                stack.push(incoming)
            stack.pop_all().__exit__(kind, error, traceback)

    def _wait(self, wait_s: float) -> None:
        poller = zmq.Poller()
        for socket in self.sockets():
            poller.register(socket, zmq.POLLIN)
        poller.poll(math.ceil(wait_s * 1000))


def open_incoming(
    context: zmq.Context[zmq.Socket[bytes]],
    urls: Iterable[str],
    *,
    security: Mapping[str, Connecting],
    start: Start = FROM_FIRST,
    known: Sequence[tuple[Stream, int]] = (),
    topics: Sequence[str] = EVERYTHING,
    name: str | None = None,
) -> Incoming:
    """Whatever `urls` stand for: publishers of ours, karabo-bridges, or both.

    Parameters
    ----------
    context
        ZeroMQ context; stays the caller's.
    security
        How each of `urls` is protected: plain, and on this computer alone, where
        nothing is said.
    start
        Where to begin in a publisher's stream that is already running.
    known
        Streams of which the caller has what came before, the oldest first, each with
        the seq that comes next.
    topics
        Prefixes of what is wanted of publishers.
    name
        What publishers know this subscriber by.

    Raises
    ------
    LinkError
        An address cannot be one of a source.
    SecurityError
        A key is missing, an address needs one, or there can be none.
    """
    ours = [url for url in urls if not is_karabo(url)]
    bridges = [KaraboAddress.parse(url) for url in urls if is_karabo(url)]
    with ExitStack() as stack:
        each: list[Incoming] = []
        for bridge in bridges:
            plain = security.get(bridge.url, PLAIN)
            if isinstance(plain, CurveClient):
                raise SecurityError(f"{bridge.url}: a karabo-bridge has no keys")
            receiver = KaraboReceiver(context, bridge, security=plain, known=known)
            each.append(stack.enter_context(receiver))
        if ours or not bridges:
            resume = {stream.id: next_seq for stream, next_seq in known}
            each.append(
                Subscriber(
                    context,
                    ours,
                    security=security,
                    start=start,
                    resume=resume,
                    topics=topics,
                    name=name,
                )
            )
        stack.pop_all()
    return each[0] if len(each) == 1 else Together(each)
