"""Hostile peers on real sockets: the good stream goes on as if they were not there."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import numpy as np
import pytest
import zmq

from streamer.events import Abandoned, Ended, Event, Gap, Received, Rejected
from streamer.frame import Frame, Stream
from streamer.messages import (
    Content,
    Done,
    End,
    Feed,
    FeedState,
    Heartbeat,
    Message,
    Request,
    Unavailable,
)
from streamer.publisher import Publisher
from streamer.sequencer import Bounds
from streamer.stand import REQUEST_BYTES
from streamer.subscriber import Subscriber
from streamer.wire import pack, unpack
from tests.chaos.counting import descriptors, resident_bytes, wanted
from tests.chaos.mutation import mutant

type Context = zmq.Context[zmq.Socket[bytes]]

type Report = Callable[..., None]

MIB = 2**20
PATIENCE_S = 60.0
GOOD = Stream("good", "microscope", "HAADF")
FEED = Feed(Content.FRAME, GOOD)


@pytest.fixture
def context() -> Iterator[Context]:
    context = zmq.Context()
    yield context
    context.term()


def frame(seq: int, stream: Stream = GOOD) -> Frame:
    return Frame(stream, seq, np.full((16, 16), seq, np.float32))


class Source:
    """Sockets of a publisher whose every word is written by the test."""

    def __init__(self, context: Context) -> None:
        self.live, self.asked = context.socket(zmq.XPUB), context.socket(zmq.ROUTER)
        self.live.xpub_nodrop, self.live.sndhwm = True, 8
        self.port = self.asked.bind_to_random_port("tcp://127.0.0.1")
        live = self.live.bind_to_random_port("tcp://127.0.0.1")
        self.url = f"tcp://127.0.0.1:{live}"

    def close(self) -> None:
        self.live.close(0)
        self.asked.close(0)

    def await_subscriber(self) -> None:
        for _ in range(3):
            assert self.live.poll(10_000)
            self.live.recv()

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.live.send_multipart(pack(message, 0))

    def beat(self, newest: int, *others: FeedState) -> None:
        self.say(Heartbeat(self.port, (FeedState(FEED, newest, 0), *others)))


@pytest.fixture
def source(context: Context) -> Iterator[Source]:
    with closing(Source(context)) as source:
        yield source


def until(subscriber: Subscriber, holds: Callable[[Event], bool]) -> list[Event]:
    """All events up to the first that `holds` is true of, which must come."""
    events: list[Event] = []
    deadline = time.monotonic() + PATIENCE_S
    while not (events and holds(events[-1])):
        assert time.monotonic() < deadline, f"it did not come after {events[-5:]}"
        if event := subscriber.receive(0.1):
            events.append(event)
    return events


def is_good(seq: int) -> Callable[[Event], bool]:
    return lambda event: (
        isinstance(event, Received)
        and event.message.stream == GOOD
        and event.message.seq == seq
    )


def good_seqs(events: Iterable[Event]) -> list[int]:
    return [
        event.message.seq
        for event in events
        if isinstance(event, Received) and event.message.stream == GOOD
    ]


def test_a_subscriber_goes_on_between_malformed_messages(
    context: Context, source: Source, pytestconfig: pytest.Config, report: Report
) -> None:
    """Every twenty of them are followed by a frame that must come, and in order."""
    rounds, each = wanted(pytestconfig, 250, 10_000), 20
    events: list[Event] = []
    before, grown = 0, 0
    with Subscriber(context, [source.url]) as subscriber:
        source.await_subscriber()
        for turn in range(rounds):
            for number in range(each):
                source.live.send_multipart(mutant(turn * each + number) or [b""])
            source.beat(turn)
            source.say(frame(turn))
            events = until(subscriber, is_good(turn))
            assert good_seqs(events) == [turn]
            if turn == rounds // 5:
                before, opened = resident_bytes(), descriptors()
        grown = resident_bytes() - before
        rejected = subscriber.statistics().rejected
        left_open = descriptors() - opened
    report(
        count=rounds * each,
        rejected=rejected,
        grown_mib=round(grown / MIB, 1),
        descriptors=left_open,
    )
    assert rejected > rounds * each / 2
    assert grown < 64 * MIB
    assert left_open < 20


@pytest.mark.parametrize("parts", [10_000, 100_000])
def test_a_message_of_very_many_parts_is_one_that_is_rejected(
    context: Context, source: Source, parts: int
) -> None:
    with Subscriber(context, [source.url]) as subscriber:
        source.await_subscriber()
        source.live.send_multipart([b""] * parts)
        source.say(frame(0))
        *before, _ = until(subscriber, is_good(0))
    (rejected,) = [event for event in before if isinstance(event, Rejected)]
    # No more are kept than are needed to see that there are too many.
    assert rejected.reason == "a message of 4 parts, expected 3"


def test_after_a_message_of_a_million_parts_the_next_good_one_is_accepted(
    context: Context, source: Source, long: bool, report: Report
) -> None:
    """It may take so long to come that the subscriber connects anew and asks."""
    parts = 1_000_000 if long else 200_000
    before, began = resident_bytes(), time.monotonic()
    with Subscriber(context, [source.url]) as subscriber:
        source.await_subscriber()
        source.live.send_multipart([b""] * parts)
        received = False
        while not received:
            assert time.monotonic() - began < PATIENCE_S
            if source.asked.poll(0):
                client, *asked = source.asked.recv_multipart()
                if isinstance(unpack(asked).message, Request):
                    source.asked.send_multipart([client, *pack(frame(0), 0)])
            # Who is not connected just now hears the next one.
            if source.live.poll(0):
                source.live.recv()
                source.beat(0)
            source.beat(0)
            event = subscriber.receive(0.1)
            received = event is not None and is_good(0)(event)
    grown = resident_bytes() - before
    seconds = time.monotonic() - began
    report(parts=parts, seconds=round(seconds, 1), left_mib=round(grown / MIB, 1))
    assert grown < 256 * MIB


STREAMS = [Stream(f"other-{number}", "microscope", "BF") for number in range(1500)]
OTHER = STREAMS[0]
OTHERS = [Feed(Content.FRAME, stream) for stream in STREAMS[:1000]]
MOST = 2**63 - 2


def beats_of_feeds(newest: int, total: int | None = None) -> list[Message]:
    """Heartbeats that list a thousand and a half feeds, 63 and the good one each."""
    good = FeedState(FEED, 0, 0)
    return [
        Heartbeat(
            None,
            (good, *(FeedState(f, newest, 0, total) for f in OTHERS[at : at + 63])),
        )
        for at in range(0, len(OTHERS), 63)
    ]


HOSTILE: dict[str, Callable[[int], list[Message]]] = {
    "a feed of 2^63 frames": lambda port: [
        Heartbeat(port, (FeedState(FEED, 0, 0), FeedState(OTHERS[0], MOST, 0)))
    ],
    "feeds of 2^63 frames that cannot be asked for": lambda _: beats_of_feeds(MOST),
    "feeds that have ended before they began": lambda _: beats_of_feeds(-1, 2**63 - 1),
    "catch-up at every port": lambda _: [
        Heartbeat(port, (FeedState(FEED, 0, 0),)) for port in range(1, 60_000, 500)
    ],
    "catch-up at a path": lambda _: [Heartbeat("/etc/passwd", ())] * 50,
    "numbers that jump": lambda _: [
        frame(seq, OTHER) for seq in (MOST, 0, 2**62, 5, 2**40, 1, MOST - 1)
    ],
    "frames of a thousand streams": lambda _: [
        frame(3, each) for each in STREAMS[:1000]
    ],
    "ends of a thousand streams": lambda _: [End(feed, 2**63 - 1) for feed in OTHERS],
    "what was never asked for": lambda _: [
        *(Unavailable(OTHERS[0], seq, MOST, "no") for seq in range(500)),
        *(Unavailable(FEED, seq, MOST, "no") for seq in range(5, 500)),
    ],
    "an end before what was seen": lambda _: [
        *(frame(seq, OTHER) for seq in range(5)),
        End(OTHERS[0], 2),
        *(frame(seq, OTHER) for seq in range(5, 9)),
        End(OTHERS[0], 0),
        End(OTHERS[0], 2**63 - 1),
    ],
    "the same frame again and again": lambda _: [frame(0)] * 500,
    "another run under the same name": lambda _: [
        frame(seq, Stream("impostor", GOOD.source, GOOD.channel)) for seq in range(9)
    ],
    "what subscribers say": lambda _: [
        Request(FEED, 0, MOST),
        Done("somebody", ((Content.FRAME, GOOD.id),), leaving=True),
    ],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_good_stream_goes_on_whatever_else_is_claimed(
    context: Context, source: Source, name: str
) -> None:
    with Subscriber(context, [source.url]) as subscriber:
        source.await_subscriber()
        source.beat(0)
        source.say(frame(0))
        until(subscriber, is_good(0))
        before = resident_bytes()
        done: list[Event] = []
        speaking = threading.Thread(
            target=source.say, args=(*HOSTILE[name](source.port), frame(1))
        )
        speaking.start()
        done += until(subscriber, is_good(1))
        speaking.join()
        source.beat(2)
        source.say(frame(2), End(FEED, 3))
        done += until(
            subscriber, lambda event: isinstance(event, Ended) and event.stream == GOOD
        )
        assert good_seqs(done) == [1, 2]
        gaps = [event for event in done if isinstance(event, Gap)]
        assert not [gap for gap in gaps if gap.stream == GOOD]
        assert resident_bytes() - before < 64 * MIB


def test_what_follows_the_end_of_a_stream_is_rejected_and_not_lost_in_silence(
    context: Context, source: Source
) -> None:
    with Subscriber(context, [source.url]) as subscriber:
        source.await_subscriber()
        source.say(frame(0), End(FEED, 1), frame(1))
        *_, rejected = until(subscriber, lambda event: isinstance(event, Rejected))
    assert isinstance(rejected, Rejected)
    assert rejected.reason == ("frame 1 of stream good, which has ended before it")


def test_a_thousand_streams_hold_back_no_more_than_all_may_together(
    context: Context, source: Source
) -> None:
    bounds = Bounds(buffer_bytes=4 * MIB, together_bytes=16 * MIB)
    with Subscriber(context, [source.url], bounds=bounds) as subscriber:
        source.await_subscriber()
        source.say(Heartbeat(source.port, ()))
        before = resident_bytes()
        image = np.zeros((512, 512), np.float32)
        large = [Frame(each, seq, image) for each in STREAMS[:100] for seq in (5, 6, 7)]
        speaking = threading.Thread(target=source.say, args=(*large, frame(0)))
        speaking.start()
        until(subscriber, is_good(0))
        speaking.join()
        grown = resident_bytes() - before
    # A megabyte each, three hundred of them.
    assert grown < 150 * MIB


def test_a_publisher_of_many_streams_does_not_push_out_the_stream_of_another(
    context: Context, source: Source
) -> None:
    with (
        closing(Source(context)) as quiet,
        Subscriber(context, [source.url, quiet.url]) as subscriber,
    ):
        source.await_subscriber()
        quiet.await_subscriber()
        quiet.say(frame(0))
        until(subscriber, is_good(0))
        ends = [End(Feed(Content.FRAME, stream), 0) for stream in STREAMS]
        speaking = threading.Thread(target=source.say, args=ends)
        speaking.start()
        last = STREAMS[-1]
        events = until(
            subscriber, lambda event: isinstance(event, Ended) and event.stream == last
        )
        speaking.join()
        quiet.say(frame(1))
        events += until(subscriber, is_good(1))
    assert good_seqs(events) == [1]
    assert not [
        e for e in events if isinstance(e, Abandoned | Gap) and e.stream == GOOD
    ]


def test_a_publisher_answers_between_malformed_requests(
    context: Context, pytestconfig: pytest.Config, report: Report
) -> None:
    count = wanted(pytestconfig, 3_000, 100_000)
    with Publisher(context, "tcp://127.0.0.1:*", heartbeat_s=0.1) as publisher:
        port = int(publisher.url.rpartition(":")[2])
        for seq in range(20):
            publisher.send(frame(seq))
        with context.socket(zmq.SUB) as listener:
            listener.connect(publisher.url)
            listener.subscribe(b"heartbeat")
            assert listener.poll(10_000)
            heartbeat = unpack(listener.recv_multipart()).message
        assert isinstance(heartbeat, Heartbeat)
        assert port
        with context.socket(zmq.DEALER) as client:
            client.linger, client.sndhwm = 0, 10
            client.connect(f"tcp://127.0.0.1:{heartbeat.catch_up}")
            before = 0
            for seed in range(count):
                parts = mutant(seed) or [b""]
                # Who sends a longer part is cut off, and has to connect again.
                client.send_multipart([part[:REQUEST_BYTES] for part in parts])
                if seed == count // 2:
                    before = resident_bytes()
            made_up = [Request(feed, 0, MOST) for feed in OTHERS]
            for request in made_up:
                client.send_multipart(pack(request, 0))
            client.send_multipart(pack(Request(FEED, 3, 3), 0))
            deadline = time.monotonic() + PATIENCE_S
            answered = False
            while not answered:
                assert client.poll(max(0, 1000 * (deadline - time.monotonic())))
                answer = unpack(client.recv_multipart()).message
                answered = isinstance(answer, Frame) and answer.seq == 3
            grown = resident_bytes() - before
        publisher.end(GOOD)
        with Subscriber(context, [publisher.url]) as subscriber:
            events = until(subscriber, lambda event: isinstance(event, Ended))
        assert good_seqs(events) == list(range(20))
        rejected = publisher.statistics().rejected
    report(
        count=count,
        rejected=rejected,
        grown_mib=round(grown / MIB, 1),
    )
    assert rejected > count / 2
    assert grown < 64 * MIB


def test_subscriptions_to_anything_do_no_harm(context: Context) -> None:
    rng = random.Random(5)
    with (
        Publisher(context, "tcp://127.0.0.1:*", heartbeat_s=0.1) as publisher,
        context.socket(zmq.XSUB) as client,
    ):
        client.linger = 0
        client.connect(publisher.url)
        for size in (0, 1, 40, 4000):
            for kind in (b"\1", b"\0", b"\2", b""):
                client.send(kind + rng.randbytes(size))
                client.send(kind + b"subscriber/" + rng.randbytes(size))
        client.send_multipart([b"\1frame"] * 1000)
        publisher.send(frame(0))
        publisher.end(GOOD)
        with Subscriber(context, [publisher.url]) as subscriber:
            events = until(subscriber, lambda event: isinstance(event, Ended))
    assert good_seqs(events) == [0]
