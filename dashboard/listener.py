"""The door of a web server: lets connections in, and closes behind all of them."""

import socket
from typing import Any
from weakref import WeakSet

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.netutil import add_accept_handler


class Listener:
    """Accepts connections for `http_server` until it is closed.

    Tornado lets go of a connection that became a websocket. Left alone, the tasks
    behind open pages would be cancelled with the event loop, each with a traceback.
    """

    def __init__(self, door: socket.socket, http_server: HTTPServer) -> None:
        self._door = door
        self._http_server = http_server
        self._streams: WeakSet[IOStream] = WeakSet()
        self._leave = add_accept_handler(door, self._accept)

    def _accept(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        stream = IOStream(connection)
        self._streams.add(stream)
        self._http_server.handle_stream(stream, address)

    def close(self) -> None:
        """Give the port back and close every connection, websockets too."""
        self._leave()
        self._door.close()
        for stream in tuple(self._streams):
            stream.close()
