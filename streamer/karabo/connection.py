"""One connection to a karabo-bridge after the other, each read to its end.

ZeroMQ would connect again by itself, unseen: but a request that died with a server is
never answered, and trains of a server that was started again are of another run. So
each connection has a socket of its own, and what is first on it is known as such.
"""

import contextlib
from uuid import uuid4

import zmq
from zmq.utils.monitor import parse_monitor_message

from streamer.endpoint import check_reachable, open_socket, receive
from streamer.errors import WireError
from streamer.karabo.address import KaraboAddress, Pattern
from streamer.karabo.train import MAX_PARTS
from streamer.security import Plain
from streamer.wire import MAX_PAYLOAD_BYTES

RETRY_S = 0.5
"""From one try to connect to the next."""
NEXT = b"next"
"""Asks a REP bridge for one train."""
SOCKETS = {Pattern.REQ: zmq.DEALER, Pattern.SUB: zmq.SUB, Pattern.PULL: zmq.PULL}
"""A DEALER speaks as a REQ does, and can be closed while an answer is awaited."""
QUEUES = {Pattern.REQ: 1, Pattern.SUB: 8, Pattern.PULL: 1}
"""Trains that may wait here. What PUB has no room for is lost; what PUSH sent and
nobody has taken is lost when this process dies."""

OVER = zmq.Event.DISCONNECTED | zmq.Event.CLOSED | zmq.Event.CONNECT_RETRIED
REFUSED = (
    zmq.Event.HANDSHAKE_FAILED_PROTOCOL
    | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
    | zmq.Event.HANDSHAKE_FAILED_AUTH
)
UNREACHED = "nobody listens there, or a firewall is between"
MISMATCHED = (
    "what listens there does not speak so; is it a karabo-bridge of another pattern? "
    "REP wants ?pattern=req, PUB ?pattern=sub, PUSH ?pattern=pull"
)


class Connection:
    """Messages of a bridge as they come, over as many connections as it takes.

    Parameters
    ----------
    context
        ZeroMQ context of the caller.
    bridge
        Where it is, and how it sends.
    security
        Karabo encrypts nothing.
    now_s
        Monotonic time.

    Raises
    ------
    LinkError
        The address cannot be one of a bridge.
    SecurityError
        It is beyond this computer.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        bridge: KaraboAddress,
        security: Plain,
        now_s: float,
    ) -> None:
        self._context, self._bridge, self._security = context, bridge, security
        check_reachable(bridge.place)
        self.is_up = False
        """Whether a bridge has answered on this connection."""
        self.reason: str | None = None
        """Why none does, as far as that is known."""
        self._is_over = self._has_asked = False
        self._opened_s = now_s
        self._socket, self._told = self._open()

    def sockets(self) -> list[zmq.Socket[bytes]]:
        """Those in which something may come."""
        return [self._socket, self._told]

    def ask(self) -> None:
        """Have the next train sent, where a bridge wants to be asked."""
        if self._bridge.pattern is Pattern.REQ and not self._has_asked:
            with contextlib.suppress(zmq.Again):
                self._socket.send_multipart([b"", NEXT], zmq.NOBLOCK)
                self._has_asked = True

    def read(self) -> list[memoryview] | None:
        """The next message; None when there is none.

        Raises
        ------
        WireError
            An answer without the envelope of one.
        """
        parts = receive(self._socket, MAX_PARTS + 1)
        if parts is None or self._bridge.pattern is not Pattern.REQ:
            return parts
        self._has_asked = False
        if len(parts[0]):
            raise WireError("an answer that no REP socket gives")
        return parts[1:]

    def watch(self, now_s: float) -> bool:
        """Whether a connection was made anew, because the one before is over.

        To be called when there was nothing to read: so none loses what came on it.
        """
        self._listen()
        if not self._is_over or now_s - self._opened_s < RETRY_S:
            return False
        if self._socket.poll(0):
            return False  # It came just before the end.
        self.close()
        self.is_up = self._is_over = self._has_asked = False
        self._opened_s = now_s
        self._socket, self._told = self._open()
        return True

    def close(self) -> None:
        """Hang up, if that has not been done."""
        if self._socket.closed:
            return
        self._socket.disable_monitor()
        self._told.close(0)
        self._socket.close(0)

    def _open(self) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
        """A socket that connects once, and one that tells what becomes of it."""
        socket = open_socket(
            self._context,
            SOCKETS[self._bridge.pattern],
            self._bridge.place,
            security=self._security,
            queue=QUEUES[self._bridge.pattern],
            message_bytes=MAX_PAYLOAD_BYTES,
        )
        socket.reconnect_ivl = -1
        if self._bridge.pattern is Pattern.SUB:
            socket.subscribe("")
        told_at = f"inproc://karabo-{uuid4().hex}"
        socket.monitor(told_at, OVER | REFUSED | zmq.Event.HANDSHAKE_SUCCEEDED)
        told: zmq.Socket[bytes] = self._context.socket(zmq.PAIR)
        told.connect(told_at)
        socket.connect(self._bridge.place.url)
        return socket, told

    def _listen(self) -> None:
        """What ZeroMQ tells of the connection."""
        with contextlib.suppress(zmq.Again):
            while True:
                parts = self._told.recv_multipart(zmq.NOBLOCK)
                self._hear(zmq.Event(parse_monitor_message(parts)["event"]))

    def _hear(self, event: zmq.Event) -> None:
        if event is zmq.Event.HANDSHAKE_SUCCEEDED:
            self.is_up, self.reason = True, None
            return
        # Whichever of the two sees first that they do not fit hangs up.
        if event in REFUSED or (event is zmq.Event.DISCONNECTED and not self.is_up):
            self.reason = MISMATCHED
        elif not self.is_up:
            self.reason = self.reason or UNREACHED
        self.is_up, self._is_over = False, True
