"""The web server that Prometheus asks: what it gives, and what it bears."""

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from atomstream.metrics.events import ServiceMetrics
from atomstream.metrics.server import Health, MetricsServer, application
from atomstream.service.exporting import ALIVE_S, Pulse
from streamer.errors import LinkError

type Run = Callable[..., Any]
type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]
type Ask = Callable[..., tuple[int, str]]
type Scrape = Callable[[int], dict[str, float]]


@pytest.fixture
def health() -> dict[str, bool]:
    return {"alive": True, "ready": False}


@pytest.fixture
def served(health: dict[str, bool]) -> Iterator[int]:
    """Port of a server of metrics."""
    metrics = ServiceMetrics(time.monotonic, 0.0)
    asked = Health(lambda: health["alive"], lambda: health["ready"])
    with MetricsServer(application(metrics.registry, asked), "127.0.0.1", 0) as server:
        yield int(re.findall(r":(\d+)/", server.url)[0])


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("GET", "/", 404),
        ("GET", "/metrics/../../etc/passwd", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/healthz", 405),
    ],
)
def test_there_is_no_more_to_be_had(
    ask: Ask, served: int, verb: str, path: str, status: int
) -> None:
    assert ask(served, path, verb)[0] == status


def test_health(ask: Ask, served: int, health: dict[str, bool]) -> None:
    assert ask(served, "/healthz") == (200, "ok\n")
    assert ask(served, "/readyz") == (503, "the service is not heard\n")
    health.update(alive=False, ready=True)
    assert ask(served, "/healthz")[0] == 503
    assert ask(served, "/readyz") == (200, "ok\n")


def test_a_loop_that_stands_still_is_not_alive() -> None:
    now_s = 0.0
    pulse = Pulse(lambda: now_s)
    now_s = ALIVE_S - 1
    assert pulse.is_alive()
    now_s = ALIVE_S
    assert not pulse.is_alive()
    pulse.beat()
    assert pulse.is_alive()


@pytest.mark.parametrize(
    "sent",
    [
        b"\0\xff garbage\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nAccept: " + b"a" * 10**6 + b"\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=x\r\n",
        b"G",
    ],
)
def test_malformed_requests_do_no_harm(ask: Ask, served: int, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            line = stack.enter_context(
                socket.create_connection(("127.0.0.1", served), timeout=10)
            )
            with suppress(OSError):  # hung up upon, as it should be
                line.sendall(sent)
        assert ask(served, "/metrics")[0] == 200


def test_so_many_are_let_in_and_no_more(ask: Ask, served: int) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(socket.create_connection(("127.0.0.1", served), 10))
        assert ask(served, "/metrics")[0] == 0
    deadline_s = time.monotonic() + 30
    while ask(served, "/metrics")[0] != 200:
        assert time.monotonic() < deadline_s


def test_a_port_that_was_taken_meanwhile_is_an_error_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        asked = Health(lambda: True, lambda: True)
        pages = application(ServiceMetrics(time.monotonic, 0.0).registry, asked)
        with (
            pytest.raises(LinkError, match="in use by another program; choose another"),
            MetricsServer(pages, "127.0.0.1", port),
        ):
            pass
