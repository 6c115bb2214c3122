"""Bokeh's application behind a guard that sees every request first."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from weakref import WeakKeyDictionary

from bokeh.document import Document
from bokeh.server.auth_provider import NullAuth
from bokeh.server.tornado import BokehTornado
from bokeh.util.token import check_token_signature
from prometheus_client import CollectorRegistry
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.iostream import IOStream
from tornado.web import RequestHandler, StaticFileHandler

from dashboard.access.guard import Guard
from dashboard.access.headers import GuardedHeaders
from dashboard.access.login import LOG_IN, LogIn, query_of
from dashboard.access.origins import origin_of
from dashboard.metrics import METRICS, MetricsPage

MOST_MESSAGE_BYTES = 1 << 20
"""From a page, which sends wishes of its viewer and little else."""

TOKEN_LIFETIME_S = 7 * 24 * 3600
"""A page that is left open may come back with its token after a lost connection."""

log = logging.getLogger("dashboard")


class Refused(RequestHandler):
    """Answers a request, of whatever verb, that was not let through."""

    def initialize(self, status: HTTPStatus, text: str = "", to: str = "") -> None:
        """`to` is where the browser should go instead."""
        self._status, self._text, self._to = status, text, to

    def prepare(self) -> None:
        """Say so, before anything else is done."""
        self.set_status(self._status)
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        if self._to:
            self.set_header("Location", self._to)
        self.finish(self._text)


class GuardedApplication(BokehTornado):
    """Serves one page to those whom the guard lets through, and nothing to others.

    Bokeh itself guards the page and its websocket, and no files. Here the guard comes
    before any route is looked for, so that one that is added later is behind it too.

    Parameters
    ----------
    make_document
        Makes a new browser session a page.
    guard
        Who lets through; None to let everybody through.
    origins
        HOST:PORT under which browsers know this server. Requests that pages from
        elsewhere make are refused.
    secret
        Signs Bokeh's sessions, so that nobody opens one by guess.
    assets
        Folder of the files beside the page.
    metrics
        For Prometheus.
    """

    def __init__(
        self,
        make_document: Callable[[Document], None],
        guard: Guard | None,
        origins: set[str],
        secret: bytes,
        assets: Path,
        metrics: CollectorRegistry,
    ) -> None:
        self.guard = guard
        self._origins = origins
        self._complained: set[str] = set()
        self._watched: WeakKeyDictionary[IOStream, str] = WeakKeyDictionary()
        super().__init__(
            {"/": make_document},
            auth_provider=LogIn(guard) if guard else NullAuth(),
            extra_websocket_origins=for_bokeh(origins),
            extra_patterns=[
                (r"/assets/(.*)", StaticFileHandler, {"path": str(assets)}),
                (METRICS, MetricsPage, {"registry": metrics}),
            ],
            # Bokeh would write the pass into the page, where scripts can read it.
            include_headers=[],
            include_cookies=[],
            secret_key=secret,
            sign_sessions=True,
            session_token_expiration=TOKEN_LIFETIME_S,
            websocket_max_message_size_bytes=MOST_MESSAGE_BYTES,
            template_path=str(assets),
            transforms=[GuardedHeaders],
            log_function=log_own_faults,
        )

    def find_handler(  # type: ignore[override] # Tornado's own type is private
        self, request: HTTPServerRequest, **kwargs: object
    ) -> HTTPMessageDelegate:
        """Who answers `request`: as routes say, if it is let through."""
        origin = request.headers.get("Origin")
        if origin is not None and origin_of(origin) not in self._origins:
            return self._refuse_foreign(request, origin)
        scrapes = request.path == METRICS and self._knows_password(request)
        if request.path == LOG_IN or scrapes or self._admits(request):
            return super().find_handler(request, **kwargs)
        if request.path == "/" and request.method in ("GET", "HEAD"):
            return self._refuse(
                request, HTTPStatus.FOUND, to=f"login{query_of(request)}"
            )
        return self._refuse(request, HTTPStatus.FORBIDDEN)

    def expel(self) -> None:
        """Close connections of pages whose pass is no longer good."""
        for stream, shown in list(self._watched.items()):
            if self.guard is not None and not self.guard.passes.holds(shown):
                stream.close()

    def _admits(self, request: HTTPServerRequest) -> bool:
        """Whether whoever asks may have what is asked for."""
        if self.guard is not None and not self.guard.admits(request):
            return False
        if request.headers.get("Upgrade") is None:
            return True
        connection = request.connection
        if self.guard is not None and isinstance(connection, HTTP1Connection):
            self._watched[connection.stream] = self.guard.shown_by(request)
        return self._signed(request)

    def _knows_password(self, request: HTTPServerRequest) -> bool:
        return self.guard is not None and self.guard.knows_password(request)

    def _signed(self, request: HTTPServerRequest) -> bool:
        """Whether a websocket belongs to a page of this server.

        Bokeh asks too, after it has opened the websocket, and raises.
        """
        protocols = request.headers.get("Sec-WebSocket-Protocol", "")
        token = protocols.partition(",")[2].strip()
        try:
            return check_token_signature(token, self.secret_key, signed=True)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False  # what the token says cannot even be read

    def _refuse_foreign(
        self, request: HTTPServerRequest, origin: str
    ) -> HTTPMessageDelegate:
        known_as = origin_of(origin)
        text = f"This page is not open to {known_as or 'pages from elsewhere'}."
        if known_as:
            text += f" If that is its own address: --allow-origin {known_as}"
        self._complain(text)
        return self._refuse(request, HTTPStatus.FORBIDDEN, text)

    def _refuse(
        self,
        request: HTTPServerRequest,
        status: HTTPStatus,
        text: str = "",
        to: str = "",
    ) -> HTTPMessageDelegate:
        arguments = {"status": status, "text": text, "to": to}
        return self.get_handler_delegate(request, Refused, arguments)

    def _complain(self, text: str) -> None:
        """Log each complaint once, and not without end."""
        if text not in self._complained and len(self._complained) < 20:
            self._complained.add(text)
            log.warning("%s", text)


def for_bokeh(origins: set[str]) -> list[str]:
    """`origins` as Bokeh has them: it takes a missing port for 80, of https too."""
    short = {o.removesuffix(":443") + ":80" for o in origins if o.endswith(":443")}
    return sorted(origins | short)


def log_own_faults(handler: RequestHandler) -> None:
    """Log requests that failed here; what others get wrong could fill a disk."""
    status = handler.get_status()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%d %s", status, handler.request.path)
