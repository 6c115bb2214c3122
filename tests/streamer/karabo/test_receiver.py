"""Images of karabo's own server arrive whole, and what does not arrive is said."""

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType

import numpy as np
import pytest
import zmq
from karabo_bridge import ServerInThread, serialize

from streamer.errors import SecurityError
from streamer.events import Abandoned, Event, Gap, Heard, Received, Rejected, Silent
from streamer.frame import Frame
from streamer.karabo.address import KaraboAddress
from streamer.karabo.receiver import KaraboReceiver

type Connect = Callable[..., KaraboReceiver]
type Serving = Callable[[str, str], AbstractContextManager[ServerInThread]]
type Until = Callable[..., list[Event]]
type Process = Callable[..., subprocess.Popen[str]]
type Context = zmq.Context[zmq.Socket[bytes]]

PATTERNS = [("REP", "req"), ("PUB", "sub"), ("PUSH", "pull")]


def frames(events: list[Event]) -> list[Frame]:
    return [
        event.message
        for event in events
        if isinstance(event, Received) and isinstance(event.message, Frame)
    ]


def id_of(frame: Frame) -> int:
    said = frame.metadata["metadata"]
    assert isinstance(said, dict)
    assert isinstance(said["timestamp.tid"], int)
    return said["timestamp.tid"]


def is_train(train_id: int) -> Callable[[Event], bool]:
    def holds(event: Event) -> bool:
        return [id_of(frame) for frame in frames([event])] == [train_id]

    return holds


def assert_accounted(events: list[Event], first: int, last: int) -> None:
    """Each train of one run is a frame, with its own pixels, or in a gap."""
    own = {first + frame.seq for frame in frames(events)}
    lost = {
        first + seq
        for event in events
        if isinstance(event, Gap)
        for seq in range(event.first, event.last + 1)
    }
    assert own | lost == set(range(first, last + 1))
    assert not own & lost


@pytest.mark.parametrize(("server", "client"), PATTERNS)
def test_each_image_is_what_was_fed_bit_for_bit(
    tcp_url: str,
    connect: Connect,
    serving: Serving,
    until: Until,
    bridge: ModuleType,
    server: str,
    client: str,
) -> None:
    receiver = connect(tcp_url, f"?pattern={client}")
    with serving(tcp_url, server) as source:
        until(receiver, lambda event: isinstance(event, Heard))
        ids = iter(range(500, 10_000))

        def feed() -> None:
            if source.buffer.empty():
                source.feed(*bridge.train(next(ids)))

        events = until(
            receiver,
            lambda event: isinstance(event, Received) and event.message.seq >= 9,
            feed,
        )
    received = frames(events)
    assert {frame.stream for frame in received} == {received[0].stream}
    assert received[0].stream.source == "STEM/HAADF"
    assert received[0].stream.channel == "image.data"
    first = id_of(received[0])
    assert_accounted(events, first, id_of(received[-1]))
    for frame in received:
        data, metadata = bridge.train(id_of(frame))
        sent = data["STEM/HAADF"]["image.data"]
        assert frame.image.tobytes() == sent.tobytes()
        assert (frame.shape, frame.image.dtype) == (sent.shape, sent.dtype)
        assert frame.seq == id_of(frame) - first
        assert frame.start_ns == (1_700_000_000 + id_of(frame)) * 10**9 + 250_000_000
        assert frame.metadata == {
            "metadata": metadata["STEM/HAADF"],
            "data": {"dwell": 2.5, "mode": "scan"},
        }
    if server != "PUB":  # who publishes does not wait for who has just connected
        assert [id_of(frame) for frame in received] == list(range(500, 510))


@pytest.mark.parametrize(("server", "client"), PATTERNS)
def test_a_bridge_that_is_killed_and_comes_back_is_found_again(
    tcp_url: str,
    connect: Connect,
    until: Until,
    process: Process,
    server: str,
    client: str,
) -> None:
    last = 30_000 if server == "PUB" else 102  # who publishes goes on until heard
    receiver = connect(tcp_url, f"?pattern={client}")
    first = process(tcp_url, server, 100, last)
    before = until(receiver, lambda event: bool(frames([event])))
    if server != "PUB":
        before += until(receiver, is_train(102))
    first.kill()
    first.wait()
    # A request is on its way when the bridge dies: karabo's client would wait for ever.
    newest = max(map(id_of, frames(before)))
    while (event := receiver.receive(0.5)) is not None:
        before.append(event)
        newest = max([newest, *map(id_of, frames([event]))])
    process(tcp_url, server, newest + 3, newest + 3 + last)
    after = until(receiver, lambda event: bool(frames([event])))
    (frame,) = frames(after)
    assert frame.stream == frames(before)[0].stream
    gap = next(event for event in after if isinstance(event, Gap))
    assert gap.last == frame.seq - 1
    assert f"{newest + 1} to {id_of(frame) - 1} did not come" in gap.reason


@pytest.mark.parametrize(("server", "client"), [PATTERNS[0], PATTERNS[2]])
def test_a_bridge_that_begins_again_is_another_run(
    tcp_url: str,
    connect: Connect,
    until: Until,
    process: Process,
    server: str,
    client: str,
) -> None:
    receiver = connect(tcp_url, f"?pattern={client}")
    first = process(tcp_url, server, 100, 102)
    before = until(receiver, is_train(102))
    first.kill()
    first.wait()
    # The very last id again: of the same connection it would have come twice.
    process(tcp_url, server, 102, 104)
    after = until(receiver, is_train(104))
    assert not [event for event in after if isinstance(event, Gap | Rejected)]
    assert [frame.seq for frame in frames(after)] == [0, 1, 2]
    (broken_off,) = [event for event in after if isinstance(event, Abandoned)]
    assert broken_off.stream == frames(before)[0].stream
    assert broken_off.stream.id != frames(after)[0].stream.id


def test_a_train_is_asked_for_only_when_somebody_wants_it(
    tcp_url: str, connect: Connect, serving: Serving, until: Until, bridge: ModuleType
) -> None:
    receiver = connect(tcp_url)
    with serving(tcp_url, "REP") as source:
        until(receiver, lambda event: isinstance(event, Heard))
        for train_id in range(4):
            source.feed(*bridge.train(train_id))
        until(receiver, is_train(0))
        # Who takes its place now gets the very next: none was fetched ahead.
        receiver.close()
        events = until(connect(tcp_url), is_train(3))
    assert [id_of(frame) for frame in frames(events)] == [1, 2, 3]


def test_what_a_slow_receiver_of_pub_misses_is_in_the_gaps(
    tcp_url: str, connect: Connect, serving: Serving, until: Until
) -> None:
    receiver = connect(tcp_url, "?pattern=sub")
    image = np.zeros((1000, 1000), np.float32)
    ids = iter(range(10**6))
    with serving(tcp_url, "PUB") as source:

        def feed_many() -> None:
            while source.buffer.qsize() < 5:
                source.feed(
                    {"STEM": {"image": image}}, {"STEM": {"timestamp.tid": next(ids)}}
                )

        events: list[Event] = []
        while not any(isinstance(event, Gap) for event in events):
            events += until(receiver, lambda event: bool(frames([event])), feed_many)
    first, last = (id_of(frames(events)[at]) for at in (0, -1))
    assert_accounted(events, first, last)


def test_between_malformed_messages_good_ones_arrive(
    tcp_url: str, context: Context, connect: Connect, until: Until, bridge: ModuleType
) -> None:
    receiver = connect(tcp_url, "?pattern=pull")
    with context.socket(zmq.PUSH) as source:
        source.linger = 0
        source.bind(tcp_url)
        until(receiver, lambda event: isinstance(event, Heard))
        good = [serialize(*bridge.train(train_id)) for train_id in range(3)]
        noise = np.random.default_rng(4)
        bad = [
            [b"x"], [b""], good[0][:3], [b"\xc1"] * 4, [b"x"] * 5000,
            [*good[0][:3], b"short"], [noise.bytes(10_000)] * 4,
        ]  # fmt: skip
        events: list[Event] = []
        for train_id in range(3):
            for message in bad:
                source.send_multipart(message)
                events += until(receiver, lambda event: isinstance(event, Rejected))
            source.send_multipart(good[train_id])
            events += until(receiver, is_train(train_id))
    rejected = [event for event in events if isinstance(event, Rejected)]
    assert len(rejected) == 3 * len(bad)
    assert [frame.seq for frame in frames(events)] == [0, 1, 2]
    assert not [event for event in events if isinstance(event, Gap)]


def test_a_train_whose_image_is_damaged_is_a_gap(
    tcp_url: str, connect: Connect, serving: Serving, until: Until, bridge: ModuleType
) -> None:
    receiver = connect(tcp_url)
    with serving(tcp_url, "REP") as source:
        for train_id in range(3):
            data, metadata = bridge.train(train_id)
            if train_id == 1:
                image = data["STEM/HAADF"]["image.data"].astype(np.complex64)
                data["STEM/HAADF"]["image.data"] = image
            source.feed(data, metadata)
        events = until(receiver, is_train(2))
    (rejected,) = [event for event in events if isinstance(event, Rejected)]
    assert "48 x 32 complex64, expected pixels of" in rejected.reason
    assert [(e.first, e.last) for e in events if isinstance(e, Gap)] == [(1, 1)]


def test_a_choice_that_is_not_clear_is_said_and_said_again_ever_less(
    tcp_url: str, context: Context, connect: Connect, until: Until, bridge: ModuleType
) -> None:
    receiver = connect(tcp_url, "?pattern=pull")
    data, metadata = bridge.train(7)
    both = dict.fromkeys(("STEM/HAADF", "STEM/BF"), data["STEM/HAADF"])
    stamps = dict.fromkeys(both, metadata["STEM/HAADF"])
    with context.socket(zmq.PUSH) as source:
        source.linger = 0
        source.bind(tcp_url)
        until(receiver, lambda event: isinstance(event, Heard))
        for _ in range(100):
            source.send_multipart(serialize(both, stamps))
        source.send_multipart(serialize(data, metadata))
        events = until(receiver, is_train(7))
    said = [event.reason for event in events if isinstance(event, Rejected)]
    assert "source STEM/BF key image.data (48 x 32 float32)" in said[0]
    assert said[1:] == [
        f"{said[0]} ({count} times in a row)" for count in (2, 4, 8, 16, 32, 64)
    ]


@pytest.mark.parametrize("server", ["PUB", None])
def test_who_is_not_heard_is_said_with_what_may_be_wrong(
    tcp_url: str,
    connect: Connect,
    serving: Serving,
    hurry: Callable[[], float],
    server: str | None,
) -> None:
    receiver = connect(tcp_url, clock=hurry)
    if server is None:
        silent = receiver.receive(30)
        word = "nobody listens there"
    else:
        with serving(tcp_url, server):
            silent = receiver.receive(30)
        word = "PUB ?pattern=sub"
    assert isinstance(silent, Silent)
    assert silent.reason is not None
    assert word in silent.reason
    assert receiver.receive(5) is None  # it is said once


def test_beyond_this_computer_nothing_is_connected_unasked(context: Context) -> None:
    address = KaraboAddress.parse("karabo+tcp://192.0.2.1:4545")
    with pytest.raises(SecurityError, match="reaches beyond this computer"):
        KaraboReceiver(context, address)
