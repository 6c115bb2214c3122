"""Sources that lose, garble, forget or fall silent: what a subscriber makes of them."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import zmq

from streamer.events import Ended, Event, Gap, Heard, Joined, Received, Rejected, Silent
from streamer.frame import Frame, Stream
from streamer.messages import (
    Content,
    End,
    Feed,
    FeedState,
    Heartbeat,
    Message,
    Request,
    Unavailable,
)
from streamer.publisher import Publisher
from streamer.sequencer import NO_CATCH_UP
from streamer.service_state import Recorded, ServiceState
from streamer.subscriber import Subscriber
from streamer.wire import pack

Context = zmq.Context[zmq.Socket[bytes]]
MakeFrame = Callable[..., Frame]
Listen = Callable[[Subscriber, type[Event]], list[Event]]


class Script(Protocol):
    """A source whose every word is written by the test."""

    url: str
    live: zmq.Socket[bytes]

    def await_subscriber(self) -> None: ...
    def say(self, *messages: Message) -> None: ...
    def beat(
        self,
        *states: FeedState,
        catch_up: bool = True,
        stands: ServiceState | None = None,
    ) -> None: ...
    def request(self) -> tuple[bytes, Message]: ...
    def answer(self, client: bytes, message: Message) -> None: ...


def seqs(events: Iterable[Event]) -> list[int]:
    return [event.message.seq for event in events if isinstance(event, Received)]


def of_type[T](events: Iterable[Event], kind: type[T]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def test_a_lost_last_frame_is_noticed_by_the_heartbeat(
    context: Context, script: Script, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    feed = Feed(Content.FRAME, stream)
    with Subscriber(context, [script.url]) as subscriber:
        script.await_subscriber()
        script.say(frame(stream, 0))
        listen(subscriber, Received)
        script.beat(FeedState(feed, newest=1, first_kept=0))
        assert subscriber.receive(0.2) is None
        client, request = script.request()
        assert request == Request(feed, 1, 1)
        script.answer(client, frame(stream, 1))
        assert seqs(listen(subscriber, Received)) == [1]


def test_what_a_source_no_longer_keeps_is_a_gap(
    context: Context, script: Script, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    feed = Feed(Content.FRAME, stream)
    with Subscriber(context, [script.url]) as subscriber:
        script.await_subscriber()
        script.beat(FeedState(feed, newest=4, first_kept=4))
        listen(subscriber, Joined)
        assert subscriber.receive(0.2) is None
        client, _ = script.request()
        script.answer(client, Unavailable(feed, 0, 3, "evicted"))
        script.answer(client, frame(stream, 4))
        events = listen(subscriber, Received)
    assert events[0] == Gap(stream, 0, 3, "evicted", Content.FRAME)
    assert seqs(events) == [4]
    assert subscriber.statistics().lost == 4


@pytest.mark.parametrize("has_heartbeats", [True, False])
def test_a_bare_publisher_leaves_exact_gaps(
    context: Context,
    script: Script,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    hurry: Callable[[], float],
    has_heartbeats: bool,
) -> None:
    feed = Feed(Content.FRAME, stream)
    with Subscriber(context, [script.url], clock=hurry) as subscriber:
        script.await_subscriber()
        if has_heartbeats:
            script.beat(catch_up=False)
        script.say(*[frame(stream, seq) for seq in (2, 3, 7)], End(feed, 9))
        events = listen(subscriber, Ended)
    assert of_type(events, Gap) == [
        Gap(stream, first, last, NO_CATCH_UP, Content.FRAME)
        for first, last in [(0, 1), (4, 6), (8, 8)]
    ]
    assert seqs(events) == [2, 3, 7]


def test_garbage_is_counted_and_the_next_good_frame_is_accepted(
    context: Context, script: Script, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    noise = np.random.default_rng(1)
    with Subscriber(context, [script.url]) as subscriber:
        script.await_subscriber()
        rejected = 0
        for count in (1, 2, 3, 4, 5, 1000):
            parts = [noise.bytes(2_000_000 // count // 6) for _ in range(count)]
            script.live.send_multipart(parts)
            rejected += 1
        script.say(Request(Feed(Content.FRAME, stream), 0, 0), frame(stream, 0))
        events = listen(subscriber, Received)
    *_, unsuitable = of_type(events, Rejected)
    assert len(of_type(events, Rejected)) == rejected + 1
    assert subscriber.statistics().rejected == rejected + 1
    assert unsuitable.reason == "a message that publishers do not send"
    assert seqs(events) == [0]


def test_a_payload_that_changed_on_the_way_is_asked_for_again(
    context: Context, script: Script, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    feed = Feed(Content.FRAME, stream)
    with Subscriber(context, [script.url]) as subscriber:
        script.await_subscriber()
        topic, header, payload = pack(frame(stream, 0), 0)
        script.live.send_multipart([topic, header, bytes(payload)[:-1] + b"?"])
        script.beat(FeedState(feed, newest=0, first_kept=0))
        events = listen(subscriber, Joined)
        client, request = script.request()
        assert request == Request(feed, 0, 0)
        script.answer(client, frame(stream, 0))
        events += listen(subscriber, Received)
    assert len(of_type(events, Rejected)) == 1
    assert seqs(events) == [0]


def test_silence_is_reported_and_its_end(
    context: Context, script: Script, listen: Listen, hurry: Callable[[], float]
) -> None:
    with Subscriber(context, [script.url], clock=hurry) as subscriber:
        script.await_subscriber()
        script.beat()
        events = listen(subscriber, Silent)
        script.beat()
        events += listen(subscriber, Heard)
    first, silent, again = events
    assert isinstance(silent, Silent)
    assert 3 < silent.seconds < 10
    assert first == again == Heard(script.url)


def test_a_source_that_was_never_heard_is_given_time_to_start(
    context: Context, script: Script, listen: Listen, hurry: Callable[[], float]
) -> None:
    with Subscriber(context, [script.url], clock=hurry) as subscriber:
        script.await_subscriber()
        (silent,) = listen(subscriber, Silent)
        script.beat()
        assert listen(subscriber, Heard) == [Heard(script.url)]
    assert isinstance(silent, Silent)
    assert silent.seconds > 10


SERVICE = ServiceState("today", 1, 1, 0, 0, Recorded.YES)


@pytest.mark.parametrize(
    ("goes_on", "stands", "is_news"),
    [(False, None, False), (True, None, True), (False, SERVICE, True)],
    ids=["has ended", "goes on", "a service"],
)
def test_silence_is_news_only_while_more_may_come(
    context: Context,
    script: Script,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    hurry: Callable[[], float],
    goes_on: bool,
    stands: ServiceState | None,
    is_news: bool,
) -> None:
    ended = FeedState(Feed(Content.FRAME, stream), newest=0, first_kept=0, total=1)
    other = replace(stream, id="another")
    states = [ended, *([FeedState(Feed(Content.FRAME, other), -1, 0)] * goes_on)]
    with Subscriber(context, [script.url], clock=hurry) as subscriber:
        script.await_subscriber()
        script.say(frame(stream, 0))
        script.beat(*states, stands=stands)
        listen(subscriber, Ended)
        deadline = hurry() + 20
        events = []
        while hurry() < deadline:
            event = subscriber.receive(0.2)
            events += [event] if event else []
    assert len(of_type(events, Silent)) == is_news


def test_catch_up_at_an_address_of_another_kind_is_rejected(
    context: Context, script: Script, listen: Listen
) -> None:
    with Subscriber(context, [script.url]) as subscriber:
        script.await_subscriber()
        script.say(Heartbeat("/run/somewhere", ()))
        *_, rejected = listen(subscriber, Rejected)
    assert rejected == Rejected(
        script.url, f"{script.url} advertises catch-up at '/run/somewhere'"
    )


@pytest.mark.parametrize(
    "path", ["", "x" * 300, "x" * 1024], ids=["none", "too long", "longest"]
)
def test_catch_up_at_a_path_that_cannot_be_one_is_rejected(
    context: Context, tmp_path: Path, stream: Stream, frame: MakeFrame, listen: Listen,
    path: str,
) -> None:  # fmt: skip
    with context.socket(zmq.XPUB) as live:
        live.bind(url := f"ipc://{tmp_path}/live")
        with Subscriber(context, [url]) as subscriber:
            for _ in range(3):
                assert subscriber.receive(0) is None
                live.recv()
            live.send_multipart(pack(Heartbeat(path, ()), 0))
            *_, rejected = listen(subscriber, Rejected)
            assert "which is no address: " in rejected.reason
            assert len(rejected.reason) < 500
            live.send_multipart(pack(frame(stream, 0), 0))
            assert seqs(listen(subscriber, Received)) == [0]


class Proxy:
    """Forwards connections until told to hold them: then they stay open, and dumb."""

    def __init__(self, port: int) -> None:
        self.port_behind = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open: list[socket.socket] = [self.listener]
        self.held: set[socket.socket] = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.port_behind))
                self.open += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self.pump, args=ends, daemon=True).start()

    def pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65_536):
                if source not in self.held:
                    sink.sendall(chunk)

    def hold(self) -> None:
        """From now on nothing passes through the connections that there are."""
        self.held.update(self.open)

    def close(self) -> None:
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def test_a_connection_that_only_looks_healthy_is_made_anew(
    context: Context,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    hurry: Callable[[], float],
) -> None:
    with Publisher(context, "tcp://127.0.0.1:*", heartbeat_s=0.1) as publisher:
        proxy = Proxy(int(publisher.url.rpartition(":")[2]))
        with Subscriber(context, [proxy.url], clock=hurry) as subscriber:
            publisher.send(frame(stream, 0))
            events = listen(subscriber, Received)
            proxy.hold()
            publisher.send(frame(stream, 1))
            events += listen(subscriber, Silent)
            events += listen(subscriber, Heard)
            publisher.end(stream)
            events += listen(subscriber, Ended)
        proxy.close()
    assert seqs(events) == [0, 1]
