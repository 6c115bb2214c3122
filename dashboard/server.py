"""The web server that opens pages of a hub."""

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
import threading
from concurrent.futures import Future
from typing import Self

from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import StaticFileHandler

from dashboard.document import ASSETS, document_maker
from dashboard.hub import Hub
from dashboard.listener import Listener
from streamer.analysis import FRAME_BUDGET_S
from streamer.errors import LinkError, SettingsError

STALE_AFTER_S = 2 * FRAME_BUDGET_S
"""Age of the last frame from which on pages say that there is no data."""

TOKEN_LIFETIME_S = 7 * 24 * 3600
"""A page that is left open may come back with its token after a lost connection."""

LEAVE_WITHIN_S = 2.0
"""Time that closed pages have to clean up when the server stops."""

type Running = tuple[int, asyncio.AbstractEventLoop, asyncio.Event]


class Dashboard:
    """Serves pages of `hub` from a thread of its own, between `start` and `stop`.

    Parameters
    ----------
    hub
        What pages show.
    address
        Name or number of the network interface. There is no log-in: addresses that
        other computers can reach need `allow_remote`.
    port
        TCP port; 0 takes a free one.
    allow_remote
        Accept an `address` beyond this computer.
    stale_after_s
        Age of the last frame from which on pages say that there is no data.

    Raises
    ------
    SettingsError
        `address` can be reached from other computers and `allow_remote` is not set.
    """

    def __init__(
        self,
        hub: Hub,
        address: str = "127.0.0.1",
        port: int = 5006,
        *,
        allow_remote: bool = False,
        stale_after_s: float = STALE_AFTER_S,
    ) -> None:
        if not (allow_remote or is_loopback(address)):
            raise SettingsError(
                f"the dashboard at {address} could be opened from other computers, and "
                "it has no log-in yet; expected an address such as 127.0.0.1"
            )
        self._hub = hub
        self._address = address
        self._port = port
        self._stale_after_s = stale_after_s
        self._running: Running | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """What to type into a browser."""
        port = self._port if self._running is None else self._running[0]
        return f"http://{in_url(self._address)}:{port}"

    def start(self) -> None:
        """Return when pages can be opened.

        Raises
        ------
        LinkError
            The port is taken, or the address is none of this computer's.
        """
        ready: Future[Running] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="dashboard"
        )
        self._thread.start()
        try:
            self._running = ready.result()
        except OSError as error:
            self._thread.join()
            raise LinkError(self._in_words(error)) from error

    def stop(self) -> None:
        """Close all pages and return when the port is free."""
        if self._running is None or self._thread is None:
            return
        _, loop, stopping = self._running
        loop.call_soon_threadsafe(stopping.set)
        self._thread.join()
        self._running = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _serve(self, ready: "Future[Running]") -> None:
        """Serve until told to stop; `ready` gets the port, or why there is none."""
        try:
            door = listening_socket(self._address, self._port)
        except OSError as error:
            ready.set_exception(error)
            return
        port = door.getsockname()[1]
        application = self._application(port)
        http_server = HTTPServer(application)
        server = BaseServer(IOLoop.current(), application, http_server)
        server.start()
        listener = Listener(door, http_server)
        stopping = asyncio.Event()
        ready.set_result((port, asyncio.get_running_loop(), stopping))
        await stopping.wait()
        listener.close()
        await pages_left(application)
        await server.stop_async()

    def _application(self, port: int) -> BokehTornado:
        return BokehTornado(
            {"/": document_maker(self._hub, self._stale_after_s)},
            extra_websocket_origins=self._origins(port),
            extra_patterns=[
                (r"/assets/(.*)", StaticFileHandler, {"path": str(ASSETS)})
            ],
            session_token_expiration=TOKEN_LIFETIME_S,
        )

    def _origins(self, port: int) -> list[str]:
        """Where a page may come from that opens a connection to this server."""
        hosts = {"localhost", "127.0.0.1", in_url(self._address)}
        return [f"{host}:{port}" for host in hosts | names_of(self._address)]

    def _in_words(self, error: OSError) -> str:
        if error.errno == errno.EADDRINUSE:
            return (
                f"port {self._port} at {self._address} is taken by another program; "
                "stop that, or choose another port for the dashboard"
            )
        unknown = isinstance(error, socket.gaierror)
        reason = error.strerror if unknown else os.strerror(error.errno or 0)
        return f"the dashboard cannot listen at {self._address}: {reason}"


async def pages_left(application: BokehTornado) -> None:
    """Return when every page knows that its connection is closed, or after a while."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_WITHIN_S):
            while any(page.connection_count for page in application.get_sessions("/")):
                await asyncio.sleep(0.01)


def listening_socket(address: str, port: int) -> socket.socket:
    """A socket that web browsers can connect to; `port` 0 takes a free one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    door = socket.create_server((address, port), family=family)
    door.setblocking(False)
    return door


def is_loopback(address: str) -> bool:
    """Whether only this computer can reach `address`."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def in_url(address: str) -> str:
    """`address` as it is written in a URL."""
    return f"[{address}]" if ":" in address else address


def names_of(address: str) -> set[str]:
    """Names that a browser may know this computer by, when it listens everywhere."""
    if address not in ("0.0.0.0", "::", ""):
        return set()
    name = socket.gethostname()
    return {name, socket.getfqdn(name), *socket.gethostbyname_ex(name)[2]}
