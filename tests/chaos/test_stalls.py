"""A network that stands still, or a connection of which one half is dead."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import numpy as np
import pytest
import zmq

from atomstream.ports import free_address
from streamer.events import Ended, Event, Gap, Heard, Received, Silent
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.subscriber import Subscriber

STALL_S, STALL_LONG_S = 8.0, 60.0
SEEN_S, RESUMED_S = 5.0, 3.0
RENEWED_S = 5.0
"""Silence after which a subscriber makes its connections anew."""
BUSY_S = 3.0
"""What a machine that has something else to do may take beside."""
PERIOD_S = 0.05
PATIENCE_S = 30.0
BURST = 150
"""Frames of 1 MB."""
NEAR, FAR = "127.0.0.2", "127.0.0.1"
"""Where the subscriber connects, and where the publisher really is."""


@pytest.fixture
def tcp_url() -> str:
    return free_address()


class Network:
    """What is between a subscriber and both ports of a publisher."""

    def __init__(self, ports: tuple[int, int]) -> None:
        self.flows = threading.Event()
        self.flows.set()
        self.pipes: list[tuple[int, socket.socket]] = []
        self.dead: set[socket.socket] = set()
        self.listeners = [socket.create_server((NEAR, port)) for port in ports]
        for listener, port in zip(self.listeners, ports, strict=True):
            self._start(self._accept, listener, port)

    def stall(self) -> None:
        """Nothing passes any more, nothing is closed."""
        self.flows.clear()

    def resume(self) -> None:
        self.flows.set()

    def forget(self, port: int) -> None:
        """Nothing will ever pass through the connections that there are to a port."""
        self.dead.update(end for number, end in self.pipes if number == port)

    def connections(self, port: int) -> int:
        """How many there have been to a port."""
        return sum(number == port for number, _ in self.pipes) // 2

    def close(self) -> None:
        self.flows.set()
        for end in [*self.listeners, *(end for _, end in self.pipes)]:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _start(self, work: Callable[..., None], *told: object) -> None:
        threading.Thread(target=work, args=told, daemon=True).start()

    def _accept(self, listener: socket.socket, port: int) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection((FAR, port))
                self.pipes += [(port, near), (port, far)]
                self._start(self._pump, near, far)
                self._start(self._pump, far, near)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65_536):
                self.flows.wait()
                if source in self.dead:
                    return
                sink.sendall(chunk)
            # Whoever closes is seen to do so, unless the network hides it.
            self.flows.wait()
            if source not in self.dead:
                sink.shutdown(socket.SHUT_WR)


class Listener:
    """What came, and when."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.events: list[Event] = []

    def until(self, kind: type[Event], patience_s: float = PATIENCE_S) -> float:
        """When the next event of a kind has come."""
        deadline = time.monotonic() + patience_s
        while True:
            assert time.monotonic() < deadline, f"no {kind.__name__}"
            if event := self.subscriber.receive(0.05):
                self.events.append(event)
                if isinstance(event, kind):
                    return time.monotonic()

    def listen(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (remaining_s := end - time.monotonic()) > 0:
            if event := self.subscriber.receive(remaining_s):
                self.events.append(event)

    def assert_all(self, total: int) -> None:
        """Every frame, once, in order, and no gap."""
        received = [event for event in self.events if isinstance(event, Received)]
        assert [event.message.seq for event in received] == list(range(total))
        assert not [event for event in self.events if isinstance(event, Gap)]


class Source:
    """Sends frames all the time, from a thread of its own."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.stream = Stream(str(uuid4()), "simulator", "HAADF")
        self.sent = 0
        self.slowest_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Source":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, *, ends: bool = True) -> None:
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join()
            if ends:
                self.publisher.end(self.stream)

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            image = np.full((128, 128), self.sent, np.float32)
            before = time.perf_counter()
            self.publisher.send(Frame(self.stream, self.sent, image))
            self.slowest_s = max(self.slowest_s, time.perf_counter() - before)
            self.sent += 1


@contextmanager
def connected(url: str) -> Iterator[tuple[Source, Network, Listener]]:
    port = int(url.rpartition(":")[2])
    with zmq.Context() as context, Publisher(context, url) as publisher:
        network = Network((port, port + 1))
        near = f"tcp://{NEAR}:{port}"
        with Source(publisher) as source, Subscriber(context, [near]) as subscriber:
            listener = Listener(subscriber)
            listener.until(Received)
            listener.listen(0.5)
            yield source, network, listener
        network.close()


def test_a_network_that_stands_still(
    tcp_url: str, long: bool, report: Callable[..., None]
) -> None:
    stall_s = STALL_LONG_S if long else STALL_S
    with connected(tcp_url) as (source, network, listener):
        network.stall()
        start_s = time.monotonic()
        seen_s = listener.until(Silent) - start_s
        listener.listen(start_s + stall_s - time.monotonic())
        network.resume()
        resumed_s = listener.until(Received) - start_s - stall_s
        source.stop()
        listener.until(Ended)
        statistics = listener.subscriber.statistics()
        slowest_s = source.slowest_s
    report(
        stall_s=stall_s,
        seen_s=round(seen_s, 2),
        resumed_s=round(resumed_s, 2),
        frames=source.sent,
        lost=statistics.lost,
        longest_send_ms=round(1e3 * slowest_s, 1),
    )
    listener.assert_all(source.sent)
    busy_s = 0.0 if long else BUSY_S
    assert seen_s <= SEEN_S + busy_s
    assert resumed_s <= RESUMED_S + busy_s
    # What waits for the network waits until it goes on.
    assert slowest_s < stall_s / (4 if long else 2)


def test_a_connection_of_which_one_half_is_dead(
    tcp_url: str, long: bool, report: Callable[..., None]
) -> None:
    live = int(tcp_url.rpartition(":")[2])
    with connected(tcp_url) as (source, network, listener):
        network.forget(live)
        network.forget(live + 1)
        start_s = time.monotonic()
        seen_s = listener.until(Silent) - start_s
        listener.until(Heard)
        resumed_s = listener.until(Received) - start_s - RENEWED_S
        source.stop()
        listener.until(Ended)
    report(seen_s=round(seen_s, 2), resumed_s=round(resumed_s, 2), frames=source.sent)
    listener.assert_all(source.sent)
    busy_s = 0.0 if long else BUSY_S
    assert seen_s <= SEEN_S + busy_s
    assert resumed_s <= RESUMED_S + BUSY_S


def test_only_the_way_to_ask_again_is_dead(
    tcp_url: str, report: Callable[..., None]
) -> None:
    live = int(tcp_url.rpartition(":")[2])
    with connected(tcp_url) as (source, network, listener):
        source.stop(ends=False)
        network.forget(live + 1)
        # More than all queues on the way hold, so that some must be asked for.
        for seq in range(source.sent, source.sent + BURST):
            image = np.full((512, 512), seq, np.float32)
            source.publisher.send(Frame(source.stream, seq, image))
        source.publisher.end(source.stream)
        start_s = time.monotonic()
        complete_s = listener.until(Ended, patience_s=60) - start_s
        asked = listener.subscriber.statistics().asked
    report(complete_s=round(complete_s, 1), asked=asked)
    listener.assert_all(source.sent + BURST)
    assert network.connections(live + 1) > 1
