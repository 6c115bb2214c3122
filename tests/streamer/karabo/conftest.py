"""Karabo's own servers, within the test and as processes."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType

import pytest
import zmq
from karabo_bridge import ServerInThread

from streamer.events import Event
from streamer.frame import Stream
from streamer.karabo.address import KaraboAddress
from streamer.karabo.receiver import KaraboReceiver

PROGRAM = Path(__file__).with_name("bridge.py")
PATIENCE_S = 30.0


@pytest.fixture(scope="session")
def bridge() -> ModuleType:
    """What the program sends, to compare with."""
    spec = importlib.util.spec_from_file_location("karabo_test_bridge", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def serving() -> Callable[[str, str], AbstractContextManager[ServerInThread]]:
    """A server of karabo's own in a thread, as long as the `with` lasts."""

    @contextmanager
    def serve(url: str, pattern: str) -> Iterator[ServerInThread]:
        server = ServerInThread(url, sock=pattern)
        server.start()
        try:
            yield server
        finally:
            server.stopper_w.send(b"")
            server.buffer.queue.clear()
            server.buffer.put(({},))
            server.thread.join()
            server.zmq_context.destroy(linger=0)

    return serve


@pytest.fixture
def process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """The program, which does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def start(url: str, pattern: str, first: int, last: int) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, str(PROGRAM), url, pattern, str(first), str(last)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        return program

    yield start
    for program in started:
        program.kill()
        program.communicate()


@pytest.fixture
def connect(
    context: zmq.Context[zmq.Socket[bytes]],
) -> Iterator[Callable[..., KaraboReceiver]]:
    """A receiver at an address, with parameters for its URL."""
    opened: list[KaraboReceiver] = []

    def connect_to(
        url: str,
        query: str = "",
        known: Sequence[tuple[Stream, int]] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> KaraboReceiver:
        address = KaraboAddress.parse(f"karabo+{url}{query}")
        opened.append(KaraboReceiver(context, address, known=known, clock=clock))
        return opened[-1]

    yield connect_to
    for receiver in opened:
        receiver.close()


@pytest.fixture
def until() -> Callable[..., list[Event]]:
    """All events of a receiver until a condition about the last holds."""

    def collect(
        receiver: KaraboReceiver,
        holds: Callable[[Event], bool],
        meanwhile: Callable[[], object] = lambda: None,
    ) -> list[Event]:
        events: list[Event] = []
        deadline = time.monotonic() + PATIENCE_S
        while not (events and holds(events[-1])):
            assert time.monotonic() < deadline, events
            meanwhile()
            if event := receiver.receive(0.1):
                events.append(event)
        return events

    return collect
