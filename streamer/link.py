"""One publisher as a subscriber sees it: two sockets, and whether it is heard."""

import contextlib
from collections.abc import Callable, Container, Iterator, Sequence

import zmq

from streamer.endpoint import (
    Address,
    Security,
    check_reachable,
    open_socket,
    receive,
)
from streamer.errors import SecurityError, WireError
from streamer.handshake import Handshakes
from streamer.messages import MAX_STREAMS, FeedState, Message
from streamer.service_state import ServiceState
from streamer.skew import Skew
from streamer.wire import MAX_PAYLOAD_BYTES, PARTS, pack

QUEUE = 8
"""Messages that ZeroMQ may hold for a reader that is slow; then the sender waits."""
REQUESTS = 2 * MAX_STREAMS
"""What may wait to be said: a question and a word of thanks for every feed."""
LEAVING_MS = 500
"""How long a good-bye may take."""
RENEW_S = 5.0
"""Silence after which a connection is made anew, doubled each time …"""
RENEW_MOST_S = 60.0
"""… up to this."""


class Link:
    """Connection to a publisher's live stream, and to its catch-up once it tells.

    Parameters
    ----------
    context
        ZeroMQ context of the caller.
    url
        The publisher's address.
    security
        Who may be there.
    topics
        Prefixes of the topics that shall come.
    now_s
        Monotonic time.
    wall_ns
        Clock for what is said, ns since 1970 UTC.

    Raises
    ------
    LinkError
        The address cannot be one of a publisher.
    SecurityError
        A key is missing, or the address needs one.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        url: str,
        security: Security,
        topics: Sequence[str],
        now_s: float,
        wall_ns: Callable[[], int],
    ) -> None:
        self.url = url
        self._context, self._wall_ns = context, wall_ns
        self._security = security
        self._address = Address.parse(url)
        self._topics = topics
        check_reachable(self._address)
        self._live, self._handshakes = self._listen()
        self._catch_up: zmq.Socket[bytes] | None = None
        self._catch_up_at: Address | None = None
        self._catch_up_handshakes: Handshakes | None = None
        self.feeds: tuple[FeedState, ...] = ()
        """What the last heartbeat listed."""
        self.notice: str | None = None
        """What people should know, as the last heartbeat said."""
        self.state: ServiceState | None = None
        """How the service stands, as the last heartbeat said."""
        self.skew = Skew()
        """By how much its clock differs from this computer's."""
        self.can_ask: bool | None = None
        """Whether there is a catch-up side; None until a heartbeat says so."""
        self.heard_s = now_s
        self.is_heard: bool | None = None
        """None until it is known."""
        self._renewed_s = now_s
        self._patience_s = RENEW_S
        self._hindrance: str | None = None
        self._unsaid: str | None = None

    def sockets(self) -> list[zmq.Socket[bytes]]:
        """Those to be read."""
        return [self._live] if self._catch_up is None else [self._live, self._catch_up]

    def read(self, ready: Container[object]) -> Iterator[list[memoryview]]:
        """The next message of each socket in `ready`; with none in it, of any.

        To look in vain takes long; but who finds nothing must have looked.
        """
        sockets = self.sockets()
        for socket in [each for each in sockets if each in ready] or sockets:
            parts = receive(socket, PARTS)
            if parts is not None:
                yield parts

    def hear(self, now_s: float) -> None:
        """Something came."""
        self.heard_s = now_s
        self.is_heard = True
        self._patience_s = RENEW_S

    def silence_s(self, now_s: float, *, awaits_answer: bool) -> float:
        """For how long nothing has come; a connection that seems dead is renewed.

        Half of a broken connection can look healthy for hours; a new one does not.
        That to the catch-up side is left alone while an answer is awaited: who looks
        it up on a slow disk says nothing else, and would have nobody to give it to.
        """
        silence_s = now_s - max(self.heard_s, self._renewed_s)
        if silence_s > self._patience_s:
            self._renewed_s = now_s
            self._patience_s = min(2 * self._patience_s, RENEW_MOST_S)
            self._listen_anew(keeps_catch_up=awaits_answer)
        return now_s - self.heard_s

    def failure(self) -> str | None:
        """Why the publisher does not let one in, if that is what it does."""
        return self._handshakes.failure()

    def hindrance(self) -> str | None:
        """Why a connection cannot be made now, once each time that this begins."""
        reason, self._unsaid = self._unsaid, None
        return reason

    def ask_at(self, advertised: int | str | None) -> None:
        """The publisher says where it can be asked; None: nowhere.

        Raises
        ------
        WireError
            That cannot belong to this publisher.
        """
        address = None if advertised is None else self._address.at(advertised)
        self.can_ask = address is not None
        # Who was refused once is not connected again by ZeroMQ itself.
        watched = self._catch_up_handshakes
        is_refused = watched is not None and watched.failure() is not None
        if address == self._catch_up_at and not is_refused:
            return
        if address is None:
            self._drop_catch_up(0)
        else:
            self._connect_catch_up(address)

    def ask_anew(self) -> None:
        """Give up a connection to the catch-up side on which nobody answers.

        It may be dead though the other one, to the live stream, is not.
        """
        if self._catch_up_at is not None:
            self._connect_catch_up(self._catch_up_at)

    def say(self, message: Message) -> None:
        """Send to the catch-up side, now or when it can be reached again.

        What was said in vain too often is dropped: it is repeated anyway.
        """
        if self._catch_up is not None:
            parts = pack(message, self._wall_ns())
            with contextlib.suppress(zmq.Again):
                self._catch_up.send_multipart(parts, zmq.NOBLOCK)

    def close(self) -> None:
        """Close; what was said last is still delivered."""
        self._close(LEAVING_MS)

    def _listen(self) -> tuple[zmq.Socket[bytes], Handshakes]:
        live = self._socket(zmq.SUB, self._address)
        for topic in self._topics:
            live.subscribe(topic)
        handshakes = Handshakes(live)
        live.connect(self._address.url)
        return live, handshakes

    def _listen_anew(self, *, keeps_catch_up: bool) -> None:
        """A new connection to the live stream; the old one is kept if there is none."""
        try:
            live, handshakes = self._listen()
        except SecurityError as error:
            self._hinder(str(error))
            return
        self._drop_live()
        if not keeps_catch_up:
            self._drop_catch_up(0)
        self._live, self._handshakes = live, handshakes
        self._hindrance = None

    def _hinder(self, reason: str) -> None:
        """Keys may be away for a while; what was made with them goes on."""
        if reason != self._hindrance:
            self._hindrance = self._unsaid = reason

    def _socket(self, kind: zmq.SocketType, address: Address) -> zmq.Socket[bytes]:
        return open_socket(
            self._context,
            kind,
            address,
            security=self._security,
            queue=QUEUE,
            message_bytes=MAX_PAYLOAD_BYTES,
        )

    def _close(self, linger_ms: int) -> None:
        self._drop_live()
        self._drop_catch_up(linger_ms)

    def _drop_live(self) -> None:
        self._handshakes.close()
        self._live.close(0)

    def _connect_catch_up(self, address: Address) -> None:
        try:
            catch_up = self._socket(zmq.DEALER, address)
        except SecurityError as error:
            self._hinder(str(error))
            return
        self._hindrance = None
        self._drop_catch_up(0)
        self._catch_up = catch_up
        self._catch_up.sndhwm = REQUESTS
        self._catch_up_handshakes = Handshakes(self._catch_up)
        try:
            self._catch_up.connect(address.url)
        except zmq.ZMQError as error:
            self._drop_catch_up(0)
            self.can_ask = False
            raise WireError(
                f"{self.url} advertises catch-up at {address.url[:200]!r}, which is no "
                f"address: {zmq.strerror(error.errno or 0)}"
            ) from error
        self._catch_up_at = address

    def _drop_catch_up(self, linger_ms: int) -> None:
        if self._catch_up_handshakes is not None:
            self._catch_up_handshakes.close()
        if self._catch_up is not None:
            self._catch_up.close(linger_ms)
        self._catch_up = self._catch_up_at = self._catch_up_handshakes = None
