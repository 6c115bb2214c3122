"""A receiver gets everything, in order, once, and hears of what cannot be had."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace

import pytest
import zmq

from streamer.errors import LinkError
from streamer.events import (
    Abandoned,
    Ended,
    Event,
    Gap,
    Heard,
    Joined,
    Notice,
    Received,
    Stands,
)
from streamer.following import ABANDONED
from streamer.frame import Frame, Stream
from streamer.messages import (
    Content,
    Feed,
)
from streamer.publisher import Publisher
from streamer.service_state import Recorded, ServiceState
from streamer.start import Start
from streamer.subscriber import Subscriber

Context = zmq.Context[zmq.Socket[bytes]]
MakeFrame = Callable[..., Frame]
Listen = Callable[[Subscriber, type[Event]], list[Event]]
STANDS = ServiceState("today", 5, 5, 3, 0, Recorded.YES)


def seqs(events: Iterable[Event], stream: Stream | None = None) -> list[int]:
    """What was delivered, of one stream or of all."""
    return [
        event.message.seq
        for event in events
        if isinstance(event, Received) and stream in (None, event.message.stream)
    ]


def of_type[T](events: Iterable[Event], kind: type[T]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def test_a_late_joiner_gets_everything(
    context: Context,
    url: str,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    # No heartbeat but the one that greets it tells the subscriber what it missed.
    with Publisher(context, url, heartbeat_s=3600) as publisher:
        for seq in range(40):
            publisher.send(frame(stream, seq))
        publisher.end(stream)
        eventually(lambda: publisher.statistics().sent == 40)
        with Subscriber(context, [publisher.url]) as subscriber:
            events = listen(subscriber, Ended)
    assert events[:2] == [Heard(publisher.url), Joined(stream, Content.FRAME)]
    assert seqs(events) == list(range(40))
    assert events[-1] == Ended(stream, 40, Content.FRAME)
    images = [event.message.image for event in of_type(events, Received)]
    assert all((image == seq).all() for seq, image in enumerate(images))


def test_a_subscriber_that_was_there_before_its_source(
    context: Context, url: str, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    with Publisher(context, url) as first:
        address = first.url
    with Subscriber(context, [address]) as subscriber:
        assert subscriber.receive(0.05) is None
        with Publisher(context, address) as publisher:
            publisher.send(frame(stream, 0))
            publisher.end(stream)
            events = listen(subscriber, Ended)
    assert seqs(events) == [0]


def test_a_slow_subscriber_loses_nothing_and_holds_nobody_up(
    context: Context, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    with (
        Publisher(context, "tcp://127.0.0.1:*") as publisher,
        Subscriber(context, [publisher.url]) as subscriber,
    ):
        assert publisher.wait_for_subscriber(10)
        # 150 MB that nobody reads: far more than all queues on the way hold.
        for seq in range(150):
            publisher.send(frame(stream, seq, side=512))
        publisher.end(stream)
        events = listen(subscriber, Ended)
        statistics = publisher.statistics()
    assert seqs(events) == list(range(150))
    assert statistics.sent == 150
    assert statistics.caught_up > 0


def test_a_restarted_subscriber_goes_on_where_it_was(
    context: Context, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    with Publisher(context, "tcp://127.0.0.1:*") as publisher:
        for seq in range(10):
            publisher.send(frame(stream, seq))
        publisher.end(stream)
        resume = {stream.id: 7}
        with Subscriber(context, [publisher.url], resume=resume) as subscriber:
            assert seqs(listen(subscriber, Ended)) == [7, 8, 9]


def test_a_viewer_begins_with_the_newest_and_some_history(
    context: Context,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    with Publisher(context, "tcp://127.0.0.1:*") as publisher:
        for seq in range(10):
            publisher.send(frame(stream, seq))
        eventually(lambda: publisher.statistics().sent == 10)
        start = Start.newest(keep=3)
        with Subscriber(context, [publisher.url], start=start) as subscriber:
            events = listen(subscriber, Received)
            publisher.send(frame(stream, 10))
            publisher.end(stream)
            assert seqs(events + listen(subscriber, Ended)) == [7, 8, 9, 10]


def test_only_the_topics_that_are_wanted_come(
    context: Context, new_stream: Callable[[], Stream], frame: MakeFrame, listen: Listen
) -> None:
    wanted = Stream(new_stream().id, "nion", "HAADF")
    other = Stream(new_stream().id, "nion", "MAADF")
    topics = ["frame/nion/HAADF"]
    with (
        Publisher(context, "tcp://127.0.0.1:*") as publisher,
        Subscriber(context, [publisher.url], topics=topics) as subscriber,
    ):
        assert publisher.wait_for_subscriber(10)
        for stream in (other, wanted):
            publisher.send(frame(stream, 0))
            publisher.end(stream)
        events = listen(subscriber, Ended)
        assert subscriber.receive(0.05) is None
        assert publisher.wait_until_delivered(10)
    assert of_type(events, Joined) == [Joined(wanted, Content.FRAME)]
    assert seqs(events) == [0]


def test_several_publishers_are_followed_at_once(
    context: Context, new_stream: Callable[[], Stream], frame: MakeFrame, listen: Listen
) -> None:
    streams = [new_stream() for _ in range(3)]
    with ExitStack() as stack:
        publishers = [
            stack.enter_context(Publisher(context, "tcp://127.0.0.1:*"))
            for _ in streams
        ]
        urls = [publisher.url for publisher in publishers]
        subscriber = stack.enter_context(Subscriber(context, urls))
        for seq in range(5):
            for publisher, stream in zip(publishers, streams, strict=True):
                publisher.send(frame(stream, seq))
        for publisher, stream in zip(publishers, streams, strict=True):
            publisher.end(stream)
        events = [event for _ in urls for event in listen(subscriber, Ended)]
    for stream in streams:
        assert seqs(events, stream) == list(range(5))


SOURCE = """
import sys, time, zmq, numpy
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
url, stream_id, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
stream = Stream(stream_id, "simulator", "HAADF")
publisher = Publisher(zmq.Context(), url)
for seq in range(count):
    publisher.send(Frame(stream, seq, numpy.full((512, 512), seq, "f4")))
print(publisher.url, flush=True)
sys.stdin.read()
"""


def source(url: str, stream: Stream, count: int) -> subprocess.Popen[str]:
    """A process that publishes `count` frames and lives until it is killed."""
    return subprocess.Popen(
        [sys.executable, "-c", SOURCE, url, stream.id, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_source_that_is_killed_and_restarted(
    context: Context,
    new_stream: Callable[[], Stream],
    listen: Listen,
    hurry: Callable[[], float],
    tcp_url: str,
) -> None:
    before, after = new_stream(), new_stream()
    with source(tcp_url, before, 50) as killed:
        assert address_of(killed) == tcp_url
        with Subscriber(context, [tcp_url], clock=hurry) as subscriber:
            events = listen(subscriber, Received)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            with source(tcp_url, after, 3) as restarted:
                events += listen(subscriber, Abandoned)
                restarted.kill()
    got = seqs(events, before)
    assert got == list(range(len(got)))
    assert of_type(events, Gap) == [Gap(before, len(got), 49, ABANDONED, Content.FRAME)]
    assert of_type(events, Abandoned) == [Abandoned(before, 50, Content.FRAME)]
    assert seqs(events, after) == [0, 1, 2]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param(
            "localhost:5555",
            "address 'localhost:5555', expected tcp://HOST:PORT or ipc://PATH",
            id="no transport",
        ),
        pytest.param(
            "tcp://127.0.0.1:70000",
            "port 70000 in tcp://127.0.0.1:70000, expected 1 to 65535",
            id="port out of range",
        ),
        pytest.param(
            "tcp://*:5555",
            "tcp://*:5555 has no host and port to connect to",
            id="no host",
        ),
        pytest.param(
            "tcp://no-such-host.invalid:5555",
            "tcp://no-such-host.invalid:5555 names a host that is not known here; "
            "check its spelling",
            id="unknown host",
        ),
    ],
)
def test_an_address_that_cannot_be_reached(
    context: Context, url: str, reason: str
) -> None:
    with pytest.raises(LinkError) as error:
        Subscriber(context, ["tcp://127.0.0.1:5555", url])
    assert str(error.value) == reason


def test_a_name_that_is_none(context: Context) -> None:
    with pytest.raises(LinkError) as error:
        Subscriber(context, [], name="a name")
    assert str(error.value) == (
        "subscriber name 'a name', expected 1 to 64 letters, digits, '_', '-' or '.'"
    )


def test_an_end_that_was_put_off_keeps_its_source_until_it_came_again(
    context: Context, url: str, stream: Stream, frame: Callable[..., Frame]
) -> None:
    with Publisher(context, url) as publisher, Subscriber(context, [url]) as subscriber:
        for seq in range(5):
            publisher.send(frame(stream, seq))
        publisher.end(stream)
        feed = Feed(Content.FRAME, stream)
        first, again = [], []
        while not of_type(first, Ended):
            first += filter(None, [subscriber.receive(1)])
        subscriber.put_off(of_type(first, Ended)[0])
        subscriber.receive(1.5)
        assert not publisher.wait_until_delivered(0)
        assert subscriber.rewind(feed, 3)
        while not of_type(again, Ended):
            again += filter(None, [subscriber.receive(1)])
        subscriber.receive(0)
        assert publisher.wait_until_delivered(10)
    assert seqs(first) == [0, 1, 2, 3, 4]
    assert seqs(again) == [3, 4]


def test_a_notice_is_heard_at_once_and_by_who_comes_late_until_it_is_taken_back(
    context: Context, url: str
) -> None:
    with Publisher(context, url, heartbeat_s=0.2) as publisher:
        publisher.tell("NOT RECORDING: no space")
        with Subscriber(context, [url]) as subscriber:
            heard: list[Event] = []
            while not of_type(heard, Notice):
                heard += filter(None, [subscriber.receive(1)])
            publisher.tell(None)
            while len(of_type(heard, Notice)) < 2:
                heard += filter(None, [subscriber.receive(1)])
    texts = [notice.text for notice in of_type(heard, Notice)]
    assert texts == ["NOT RECORDING: no space", None]


def test_a_state_is_heard_when_it_changes_and_not_at_every_heartbeat(
    context: Context, url: str
) -> None:
    states = [STANDS, replace(STANDS, waiting=7), None]
    said: list[ServiceState | None] = []
    heard: list[Event] = []

    def state() -> ServiceState | None:
        said.append(states[0])
        return said[-1]

    with (
        Subscriber(context, [url]) as subscriber,
        Publisher(context, url, heartbeat_s=0.02, state=state),
    ):
        while len(states) > 1:
            heard += filter(None, [subscriber.receive(0.02)])
            # Each is said often before the next takes its place.
            if states[0] in told(heard) and said.count(states[0]) > 10:
                states.pop(0)
        while None not in told(heard):
            heard += filter(None, [subscriber.receive(1)])
    assert told(heard) == [STANDS, replace(STANDS, waiting=7), None]


def told(events: Iterable[Event]) -> list[ServiceState | None]:
    return [event.state for event in of_type(events, Stands)]
