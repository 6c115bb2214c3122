"""The door of a web server: lets connections in, and closes behind all of them."""

import socket
import ssl
from typing import Any
from weakref import WeakSet

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, SSLIOStream
from tornado.netutil import add_accept_handler, ssl_wrap_socket

MOST_CONNECTIONS = 512
"""At once; half of the files that a process may usually open."""


class Listener:
    """Accepts connections for `http_server` until it is closed.

    Tornado lets go of a connection that became a websocket. Left alone, the tasks
    behind open pages would be cancelled with the event loop, each with a traceback.

    Parameters
    ----------
    tls
        What encrypts connections; None to leave them in the clear.
    """

    def __init__(
        self,
        door: socket.socket,
        http_server: HTTPServer,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._door = door
        self._http_server = http_server
        self._tls = tls
        self._streams: WeakSet[IOStream] = WeakSet()
        self._leave = add_accept_handler(door, self._accept)

    def _accept(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        if sum(not stream.closed() for stream in self._streams) >= MOST_CONNECTIONS:
            connection.close()
            return
        try:
            stream = self._stream(connection)
        except OSError:
            connection.close()  # whoever knocked is gone
            return
        self._streams.add(stream)
        self._http_server.handle_stream(stream, address)

    def _stream(self, connection: socket.socket) -> IOStream:
        if self._tls is None:
            return IOStream(connection)
        encrypted = ssl_wrap_socket(
            connection, self._tls, server_side=True, do_handshake_on_connect=False
        )
        return SSLIOStream(encrypted, ssl_options=self._tls)

    def close(self) -> None:
        """Give the port back and close every connection, websockets too."""
        self._leave()
        self._door.close()
        for stream in tuple(self._streams):
            stream.close()
