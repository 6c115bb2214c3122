"""How a stream is protected: not at all on this computer, by CURVE beyond it.

CURVE (RFC 26 of ZeroMQ, Curve25519) encrypts everything, proves to who connects that
it has found the right publisher, and tells the publisher who connects.
"""

from dataclasses import dataclass
from typing import TypeAlias

import zmq

from streamer.endpoint import Address
from streamer.errors import SecurityError
from streamer.keys import KeyFolder, public_of


@dataclass(frozen=True, slots=True)
class Plain:
    """Neither encrypted nor asked who it is."""

    anywhere: bool = False
    """Also beyond this computer, where everybody on the network can listen."""

    def protect(self, socket: zmq.Socket[bytes], address: Address) -> None:
        """Leave `socket` as it is, if that is safe.

        Raises
        ------
        SecurityError
            The address is not of this computer alone.
        """
        del socket
        if not (self.anywhere or address.is_local):
            raise SecurityError(
                f"{address.url} reaches beyond this computer, and nothing protects it: "
                "give keys (`atomstream keys --help`), or --insecure"
            )


@dataclass(frozen=True, slots=True)
class CurveClient:
    """CURVE where one connects."""

    keys: KeyFolder
    """One's own; the publisher must allow the public one."""
    server_key: bytes | None
    """Public key of the publisher, nobody else is listened to; None: one's own."""

    def protect(self, socket: zmq.Socket[bytes], address: Address) -> None:
        """Have `socket` speak to nobody but who has the private key of `server_key`.

        Raises
        ------
        SecurityError
            One's own key cannot be used.
        """
        del address
        private = self.keys.private()
        public = public_of(private)
        socket.curve_secretkey, socket.curve_publickey = private, public
        socket.curve_serverkey = self.server_key or public


@dataclass(frozen=True, slots=True)
class CurveServer:
    """CURVE where one binds."""

    keys: KeyFolder
    """One's own, and the list of those who may connect, which may change any time."""


Connecting: TypeAlias = Plain | CurveClient
Binding: TypeAlias = Plain | CurveServer

PLAIN = Plain()
