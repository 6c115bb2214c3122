"""The web server that opens pages of a hub."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Self

from bokeh.server.server import BaseServer
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback

from dashboard.access.application import GuardedApplication
from dashboard.access.guard import guard_of
from dashboard.access.origins import in_url, own_origins
from dashboard.access.terms import Access
from dashboard.archive import Archive
from dashboard.document import ASSETS, document_maker
from dashboard.hub import Hub
from dashboard.leftovers import LOOK_MS, Leftovers
from dashboard.listener import Listener
from dashboard.metrics import PageMetrics
from streamer.analysis import FRAME_BUDGET_S
from streamer.errors import LinkError

STALE_AFTER_S = 2 * FRAME_BUDGET_S
"""Age of the last frame from which on pages say that there is no data, if no rule
says another."""

LEAVE_WITHIN_S = 2.0
"""Time that closed pages have to clean up when the server stops."""

MOST_BODY_BYTES = 1 << 16
"""Of a request; the longest that is sent has a password in it."""

IDLE_S = 60.0
"""After which a connection is closed that is not a page's."""

EXPEL_MS = 1000
"""How often pages are closed whose pass has run out."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that can be asked, and told to stop."""

    port: int
    application: GuardedApplication
    loop: asyncio.AbstractEventLoop
    stopping: asyncio.Event


class Dashboard:
    """Serves pages of `hub` from a thread of its own, between `start` and `stop`.

    Parameters
    ----------
    hub
        What pages show.
    address
        Name or number of the network interface.
    port
        TCP port; 0 takes a free one.
    access
        Who may open pages.
    archive
        Where frames are that have left the memory; None if they are gone.
    stale_after_s
        Age of the last frame from which on pages say that there is no data; None for
        that of the hub's rules.

    Raises
    ------
    SettingsError
        Other computers can reach `address` and nothing protects it; or the
        certificate is not good.
    """

    def __init__(
        self,
        hub: Hub,
        address: str = "127.0.0.1",
        port: int = 5006,
        *,
        access: Access | None = None,
        archive: Archive | None = None,
        stale_after_s: float | None = None,
    ) -> None:
        self._access = access or Access()
        self._access.check(address)
        self._hub = hub
        self._archive = archive
        self._address = address
        self._port = port
        self._stale_after_s = stale_after_s or hub.rules.no_frame_for_s or STALE_AFTER_S
        self._running: Running | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """What to type into a browser."""
        port = self._port if self._running is None else self._running.port
        scheme = "https" if self._access.certificate else "http"
        return f"{scheme}://{in_url(self._address)}:{port}"

    def start(self) -> None:
        """Return when pages can be opened.

        Raises
        ------
        LinkError
            The port is taken, or the address is none of this computer's.
        SettingsError
            The certificate is no longer good.
        """
        ready: Future[Running] = Future()
        certificate = self._access.certificate
        tls = certificate.context() if certificate else None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready, tls)), name="dashboard"
        )
        self._thread.start()
        try:
            self._running = ready.result()
        except Exception as error:
            self._thread.join()
            if isinstance(error, OSError):
                raise LinkError(self._in_words(error)) from error
            raise

    def stop(self) -> None:
        """Close all pages and return when the port is free."""
        if self._running is None or self._thread is None:
            return
        self._running.loop.call_soon_threadsafe(self._running.stopping.set)
        self._thread.join()
        self._running = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _serve(
        self, ready: "Future[Running]", tls: ssl.SSLContext | None
    ) -> None:
        """Serve until told to stop; `ready` gets the port, or why there is none."""
        async with contextlib.AsyncExitStack() as cleaning:
            try:
                running = self._open(tls, cleaning)
            except Exception as error:  # noqa: BLE001 # whoever waits raises it
                ready.set_exception(error)
                return
            ready.set_result(running)
            await running.stopping.wait()

    def _open(
        self, tls: ssl.SSLContext | None, cleaning: contextlib.AsyncExitStack
    ) -> Running:
        """Open the port; what is to be closed goes to `cleaning`."""
        door = cleaning.enter_context(listening_socket(self._address, self._port))
        port = door.getsockname()[1]
        application = self._application(port)
        http_server = HTTPServer(
            application,
            max_body_size=MOST_BODY_BYTES,
            idle_connection_timeout=IDLE_S,
            body_timeout=IDLE_S,
        )
        server = BaseServer(IOLoop.current(), application, http_server)
        server.start()
        cleaning.push_async_callback(server.stop_async)
        cleaning.push_async_callback(pages_left, application)
        listener = Listener(door, http_server, tls)
        cleaning.callback(listener.close)
        leftovers = Leftovers(lambda: len(application.get_sessions("/")))
        for job, every_ms in (application.expel, EXPEL_MS), (leftovers.look, LOOK_MS):
            repeating = PeriodicCallback(job, every_ms)
            repeating.start()
            cleaning.callback(repeating.stop)
        loop = asyncio.get_running_loop()
        return Running(port, application, loop, asyncio.Event())

    def _application(self, port: int) -> GuardedApplication:
        return GuardedApplication(
            document_maker(self._hub, self._stale_after_s, self._archive),
            guard_of(self._access, port),
            own_origins(self._address, port) | set(self._access.origins),
            self._access.key("sessions"),
            ASSETS,
            PageMetrics(self._hub).registry,
        )

    def _in_words(self, error: OSError) -> str:
        if error.errno == errno.EADDRINUSE:
            return (
                f"port {self._port} at {self._address} is taken by another program; "
                "stop that, or choose another port for the dashboard"
            )
        unknown = isinstance(error, socket.gaierror)
        reason = error.strerror if unknown else os.strerror(error.errno or 0)
        return f"the dashboard cannot listen at {self._address}: {reason}"


async def pages_left(application: GuardedApplication) -> None:
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
