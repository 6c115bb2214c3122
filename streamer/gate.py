"""Who may connect to a publisher, asked at each handshake and whenever that changes."""

import logging

import zmq

from streamer.endpoint import Address
from streamer.errors import LinkError, SecurityError
from streamer.keys import KeyFolder, public_of

log = logging.getLogger(__name__)

ZAP_ADDRESS = "inproc://zeromq.zap.01"
"""Where ZeroMQ asks (RFC 27), once in each context."""
DOMAIN = b"atomstream"
AT_ONCE = 64
"""Handshakes that are answered before the stream has its turn again."""
MOST_NAMED = 64
"""Unknown keys that are reported between two changes of the list."""


class Gate:
    """Lets in who is on the allow-list of a key folder, and its owner.

    The list is read again at each handshake. Belongs to one thread at a time.

    Parameters
    ----------
    context
        ZeroMQ context of the sockets behind this gate; it has no other gate.
    keys
        The publisher's own keys, and the list.

    Raises
    ------
    SecurityError
        The keys cannot be used.
    LinkError
        The context has a gate already.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], keys: KeyFolder
    ) -> None:
        self._keys = keys
        self._content = keys.content()
        self._private = keys.private()
        self._reported: set[bytes] = set()
        self._allowed = self._read()
        self.refused = 0
        """Handshakes with a key that is not allowed."""
        self.socket = context.socket(zmq.REP)
        """Readable when somebody knocks."""
        self.socket.linger = 0
        try:
            self.socket.bind(ZAP_ADDRESS)
        except zmq.ZMQError as error:
            self.socket.close()
            raise LinkError(
                "a ZeroMQ context can have one publisher with keys; give the second "
                "a context of its own"
            ) from error

    def protect(self, socket: zmq.Socket[bytes], address: Address) -> None:
        """Have `socket` ask here about everybody who connects to it."""
        del address
        socket.curve_server = True
        socket.curve_secretkey = self._private
        socket.zap_domain = DOMAIN
        # Left alone, ZeroMQ lets everybody in when nobody answers at its address.
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)

    def answer(self) -> None:
        """Answer those who knock."""
        for _ in range(AT_ONCE):
            try:
                request = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self.socket.send_multipart(self._reply(request))

    def has_changed(self) -> bool:
        """Whether the keys or the list differ from what they were at the last call.

        Who came in before may have to stay outside now.
        """
        content = self._keys.content()
        if content == self._content:
            return False
        self._content = content
        self._reported.clear()
        try:
            self._private = self._keys.private()
        except SecurityError as error:
            log.warning("the keys in use stay in use: %s", error)
        self._allowed = self._read()
        return True

    def close(self) -> None:
        """Let nobody in any more."""
        self.socket.close()

    def _reply(self, request: list[bytes]) -> list[bytes]:
        version, number, _domain, address, _identity, mechanism, *credentials = request
        is_curve = mechanism == b"CURVE" and len(credentials) == 1
        is_admitted = is_curve and self._admits(credentials[0], address)
        verdict = [b"200", b"OK"] if is_admitted else [b"400", b"not allowed"]
        return [version, number, *verdict, b"", b""]

    def _admits(self, key: bytes, address: bytes) -> bool:
        if self._content != self._keys.content():
            # The connections made so far are seen to at the next `has_changed`.
            self._allowed = self._read()
        if key in self._allowed:
            return True
        self.refused += 1
        if key not in self._reported and len(self._reported) < MOST_NAMED:
            self._reported.add(key)
            log.warning(
                "refused %s, whose key is not allowed; `atomstream keys allow NAME %s` "
                "would let it in",
                address.decode(errors="replace"),
                key.hex(),
            )
        return False

    def _read(self) -> frozenset[bytes]:
        """The keys that may come in now."""
        try:
            allowed = self._keys.allowed()
        except SecurityError as error:
            log.warning("nobody is allowed until this is mended: %s", error)
            return frozenset()
        for number in allowed.damaged:
            log.warning(
                "line %d of %s is wrong and lets nobody in",
                number,
                self._keys.allowed_file,
            )
        return frozenset([*allowed.keys.values(), public_of(self._private)])
