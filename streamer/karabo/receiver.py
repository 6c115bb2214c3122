"""A receiver's end of a karabo-bridge: the events of a subscriber, without catch-up."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import zmq

from streamer.errors import WireError
from streamer.events import Ended, Event, Heard, Received, Rejected, Silent
from streamer.frame import Frame, Stream
from streamer.karabo.address import KaraboAddress
from streamer.karabo.connection import Connection
from streamer.karabo.numbering import Numbering
from streamer.karabo.picture import Choice, image_of, said_of, time_ns, train_id
from streamer.karabo.train import read_train, words_of
from streamer.messages import Feed
from streamer.security import PLAIN, Plain

TICK_S = 0.25
SILENT_S = 3.0
"""After which it is said that a connection is broken."""
UNHEARD_S = 10.0
"""The same where there never was one: both may be starting just now."""


class KaraboReceiver:
    """Receives the images of one source of a karabo-bridge, in order and once.

    Works in the thread that calls `receive`, and only then. What a bridge loses or
    could not send is lost: it is reported as a gap as far as train ids tell.

    Parameters
    ----------
    context
        ZeroMQ context; stays the caller's.
    bridge
        Where it is, how it sends, and what of it is the image. It need not be there
        yet.
    security
        Karabo knows no keys: whether it may be beyond this computer.
    known
        Streams of a session that goes on, the oldest first, each with the seq that
        comes next.
    clock, wall_ns
        Monotonic seconds, and ns since 1970 UTC.

    Raises
    ------
    LinkError
        The address cannot be one of a bridge.
    SecurityError
        It is beyond this computer, and that was not said to be fine.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        bridge: KaraboAddress,
        *,
        security: Plain = PLAIN,
        known: Iterable[tuple[Stream, int]] = (),
        clock: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._url, self._clock, self._wall_ns = bridge.url, clock, wall_ns
        self._numbering = Numbering(bridge, known)
        self._choice = Choice(bridge.source, bridge.key, self._numbering.names)
        self._connection = Connection(context, bridge, security, clock())
        self._events: deque[Event] = deque()
        self._is_new = True
        """Whether nothing has come on this connection yet."""
        self._is_heard: bool | None = None
        """None until it is known."""
        self._up_s = clock()
        self._rejected: str | None = None
        self._repeats = 0

    def sockets(self) -> list[zmq.Socket[bytes]]:
        """Those in which something may come; another time they may be others."""
        return self._connection.sockets()

    def receive(self, timeout_s: float | None = None) -> Event | None:
        """The next event, or None when there is none within `timeout_s`.

        Only this asks a bridge for a train: none waits here for a caller who is busy.
        """
        deadline_s = self._clock() + (math.inf if timeout_s is None else timeout_s)
        while not self._events:
            remaining_s = deadline_s - self._clock()
            self._turn(min(TICK_S, max(0, remaining_s)))
            if remaining_s <= 0:
                break
        return self._events.popleft() if self._events else None

    def put_off(self, ended: Ended) -> None:
        """Nothing to do: a bridge never says that a run has ended."""

    def rewind(self, feed: Feed, seq: int) -> bool:
        """Whether more of a feed can come: a bridge sends nothing again."""
        del feed, seq
        return False

    def gives_again(self, stream: Stream) -> bool:
        """Whether what came of `stream` and is lost here may come once more."""
        return not self._numbering.has(stream)

    def close(self, *, leaves: bool = True) -> None:
        """Hang up; a bridge is not told why."""
        del leaves
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _turn(self, wait_s: float) -> None:
        """Wait for something to come, and read one message if there is one."""
        self._connection.ask()
        poller = zmq.Poller()
        for socket in self.sockets():
            poller.register(socket, zmq.POLLIN)
        poller.poll(math.ceil(wait_s * 1000))
        try:
            parts = self._connection.read()
            if parts is not None:
                self._take(parts)
                return
        except WireError as error:
            self._reject(str(error))
            return
        if self._connection.watch(self._clock()):
            self._is_new = True
        self._attend()

    def _take(self, parts: list[memoryview]) -> None:
        """One message, whatever it is."""
        self._hear()
        train = read_train(parts)
        source, key = self._choice.find(train)
        # All that can be wrong, before it is given a number.
        image, words = image_of(source.arrays[key]), words_of(source)
        stream, seq, before = self._numbering.place(
            (source.name, key), train_id(words.metadata), is_new=self._is_new
        )
        self._is_new, self._rejected = False, None
        taken_ns, now_ns = time_ns(words.metadata), self._wall_ns()
        frame = Frame(stream, seq, image, start_ns=taken_ns, metadata=said_of(words))
        self._events += before
        # A bridge says when a train was taken, and not when it was sent.
        self._events.append(Received(frame, None, now_ns))

    def _reject(self, reason: str) -> None:
        """Say what was thrown away; the same in a row when it was 2, 4, 8 … times."""
        self._repeats = self._repeats + 1 if reason == self._rejected else 1
        self._rejected = reason
        if self._repeats == 1:
            self._events.append(Rejected(self._url, reason))
        elif self._repeats.bit_count() == 1:
            told = f"{reason} ({self._repeats} times in a row)"
            self._events.append(Rejected(self._url, told))

    def _hear(self) -> None:
        self._up_s = self._clock()
        if not self._is_heard:
            self._is_heard = True
            self._events.append(Heard(self._url))

    def _attend(self) -> None:
        """Say when there is a connection, and when there has been none for long."""
        if self._connection.is_up:
            self._hear()
            return
        silence_s = self._clock() - self._up_s
        patience_s = UNHEARD_S if self._is_heard is None else SILENT_S
        if silence_s > patience_s and self._is_heard is not False:
            self._is_heard = False
            reason = self._connection.reason
            self._events.append(Silent(self._url, silence_s, reason))
