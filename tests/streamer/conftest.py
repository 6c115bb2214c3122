"""Sockets on this computer, and frames that say which one they are."""

import contextlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import zmq

from streamer.events import Event
from streamer.frame import Frame, Stream
from streamer.messages import FeedState, Heartbeat, Message
from streamer.service_state import ServiceState
from streamer.subscriber import Subscriber
from streamer.wire import pack, unpack

PATIENCE_S = 20.0


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    """A context that does not end before every socket is closed."""
    context = zmq.Context()
    yield context
    context.term()


@pytest.fixture
def new_stream() -> Callable[[], Stream]:
    return lambda: Stream(str(uuid4()), "simulator", "HAADF")


@pytest.fixture
def stream(new_stream: Callable[[], Stream]) -> Stream:
    return new_stream()


@pytest.fixture
def frame() -> Callable[..., Frame]:
    """A frame of `side` x `side` pixels, each of which is its seq."""

    def make(stream: Stream, seq: int, side: int = 16) -> Frame:
        return Frame(stream, seq, np.full((side, side), seq, np.float32))

    return make


@pytest.fixture
def tcp_url() -> str:
    """An address whose port and the one after it are free, and stay so.

    Outgoing connections, of which tests that reconnect make many, take their local
    ports from 32768 upwards: a publisher could not come back to such a port.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for number in (port, port + 1):
                stack.enter_context(socket.create_server(("127.0.0.1", number)))
            return f"tcp://127.0.0.1:{port}"


@pytest.fixture(params=["tcp", "ipc"])
def url(request: pytest.FixtureRequest, tmp_path: Path, tcp_url: str) -> str:
    """An address that is free, over TCP and over a file."""
    return tcp_url if request.param == "tcp" else f"ipc://{tmp_path}/live"


@pytest.fixture
def listen() -> Callable[[Subscriber, type[Event]], list[Event]]:
    """All events of a subscriber up to the first of one kind, which must come."""

    def collect(subscriber: Subscriber, until: type[Event]) -> list[Event]:
        events: list[Event] = []
        deadline = time.monotonic() + PATIENCE_S
        while not (events and isinstance(events[-1], until)):
            assert time.monotonic() < deadline, f"no {until.__name__} after {events}"
            if event := subscriber.receive(0.1):
                events.append(event)
        return events

    return collect


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds, which it must."""

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    return wait


@pytest.fixture
def shut() -> Callable[[Path], None]:
    """Make a folder one that cannot be entered, by root either."""

    def shut(folder: Path) -> None:
        folder.rename(folder.with_name("shut away"))
        # The kernel refuses to look behind it, instead of finding nothing there.
        folder.symlink_to("x" * 300)

    return shut


@pytest.fixture
def hurry() -> Callable[[], float]:
    """A clock that runs five times too fast."""
    return lambda: 5 * time.monotonic()


class Script:
    """A source whose every word is written by the test: real sockets, no publisher."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.live, self.asked = context.socket(zmq.XPUB), context.socket(zmq.ROUTER)
        self.ports = [
            socket.bind_to_random_port("tcp://127.0.0.1")
            for socket in (self.live, self.asked)
        ]
        self.url = f"tcp://127.0.0.1:{self.ports[0]}"

    def __enter__(self) -> "Script":
        return self

    def __exit__(self, *reason: object) -> None:
        self.live.close(0)
        self.asked.close(0)

    def await_subscriber(self) -> None:
        """Each subscriber has three subscriptions: all, heartbeats and its name."""
        for _ in range(3):
            assert self.live.poll(10_000)
            self.live.recv()

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.live.send_multipart(pack(message, 0))

    def beat(
        self,
        *states: FeedState,
        catch_up: bool = True,
        stands: ServiceState | None = None,
    ) -> None:
        port = self.ports[1] if catch_up else None
        self.say(Heartbeat(port, states, state=stands))

    def request(self) -> tuple[bytes, Message]:
        """Who asks, and for what."""
        assert self.asked.poll(10_000)
        client, *parts = self.asked.recv_multipart()
        return client, unpack(parts).message

    def answer(self, client: bytes, message: Message) -> None:
        self.asked.send_multipart([client, *pack(message, 0)])


@pytest.fixture
def script(context: zmq.Context[zmq.Socket[bytes]]) -> Iterator[Script]:
    with Script(context) as script:
        yield script
