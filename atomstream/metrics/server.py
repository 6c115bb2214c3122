"""The web server that Prometheus asks: three pages, without a password."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from weakref import WeakSet

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler

from atomstream.ports import listening

MOST_CONNECTIONS = 64
"""At once; whoever comes beyond is turned away."""
IDLE_S = 30.0
"""How long a connection may say nothing."""
MOST_BYTES = 64 * 1024
"""Of a request."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the pages about health ask."""

    is_alive: Callable[[], bool]
    """Whether what comes from the service is still being taken."""
    is_ready: Callable[[], bool]
    """Whether the service is heard."""


class MetricsPage(RequestHandler):
    """All metrics, in Prometheus' text format."""

    def initialize(self, registry: CollectorRegistry) -> None:
        """Take what the application was made with."""
        self._registry = registry

    def get(self) -> None:  # type: ignore[mutable-override] # Tornado's way
        """Answer a scrape."""
        self.set_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
        self.finish(generate_latest(self._registry))


class HealthPage(RequestHandler):
    """200 while something holds, 503 while it does not."""

    def initialize(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Take what the application was made with."""
        self._holds, self._otherwise = holds, otherwise

    def get(self) -> None:  # type: ignore[mutable-override] # Tornado's way
        """Answer a probe."""
        holds = self._holds()
        self.set_status(200 if holds else 503)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("ok\n" if holds else f"{self._otherwise}\n")


class Door(TCPServer):
    """Lets so many in to `http_server` at once, and no more."""

    def __init__(self, http_server: HTTPServer) -> None:
        super().__init__(max_buffer_size=2 * MOST_BYTES)
        self._http_server = http_server
        self._streams: WeakSet[IOStream] = WeakSet()

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a connection, if there is room."""
        if sum(not each.closed() for each in self._streams) >= MOST_CONNECTIONS:
            stream.close()
            return
        self._streams.add(stream)
        self._http_server.handle_stream(stream, address)


def application(registry: CollectorRegistry, health: Health) -> Application:
    """The three pages."""
    alive = {"holds": health.is_alive, "otherwise": "events are not taken any more"}
    ready = {"holds": health.is_ready, "otherwise": "the service is not heard"}
    return Application(
        [
            ("/metrics", MetricsPage, {"registry": registry}),
            ("/healthz", HealthPage, alive),
            ("/readyz", HealthPage, ready),
        ],
        log_function=lambda _: None,  # a line for each wrong request would fill disks
    )


class MetricsServer:
    """Serves the pages from a thread of its own, from `with` to its end.

    Parameters
    ----------
    pages
        As of `application`.
    address, port
        Where; port 0 stands for any free one.

    Raises
    ------
    LinkError
        When it starts: nothing can be served there.
    """

    def __init__(self, pages: Application, address: str, port: int) -> None:
        self._pages, self._address, self._port = pages, address, port
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    @property
    def url(self) -> str:
        """Where the metrics are, once it has started."""
        host = f"[{self._address}]" if ":" in self._address else self._address
        return f"http://{host}:{self._door.getsockname()[1]}/metrics"

    def __enter__(self) -> Self:
        self._door = listening(self._address, self._port, "--metrics")
        self._door.setblocking(False)
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        http_server = HTTPServer(
            self._pages,
            max_body_size=MOST_BYTES,
            max_header_size=MOST_BYTES,
            idle_connection_timeout=IDLE_S,
            body_timeout=IDLE_S,
        )
        door = Door(http_server)
        door.add_socket(self._door)
        await self._stopping.wait()
        door.stop()
        await http_server.close_all_connections()
