"""A source sends and never waits; who missed something asks and gets it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zmq

from streamer.catalogue import EVICTED, NEVER_SENT, Recalled
from streamer.errors import LinkError, WireError
from streamer.events import Abandoned, Ended, Event, Gap, Received
from streamer.frame import Completeness, Frame, Stream
from streamer.messages import (
    MAX_STREAMS,
    SUPERSEDED,
    Content,
    Done,
    Feed,
    Heartbeat,
    Request,
    Unavailable,
)
from streamer.publisher import Publisher
from streamer.subscriber import Subscriber
from streamer.wire import pack, unpack

Context = zmq.Context[zmq.Socket[bytes]]
MakeFrame = Callable[..., Frame]
Listen = Callable[[Subscriber, type[Event]], list[Event]]
Eventually = Callable[[Callable[[], bool]], None]
ANY_PORT = "tcp://127.0.0.1:*"


def resources() -> tuple[int, int]:
    """Threads and descriptors of this process."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def test_fifty_publishers_one_after_another_on_one_address(
    context: Context,
    url: str,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    eventually: Eventually,
) -> None:
    address, early = url, resources()
    for cycle in range(50):
        with (
            Publisher(context, address) as publisher,
            Subscriber(context, [publisher.url]) as subscriber,
        ):
            address = publisher.url
            publisher.send(frame(stream, 0, side=256))
            listen(subscriber, Received)
        if cycle == 5:
            early = resources()
    # ZeroMQ gives the descriptor of a closed connection back a little later.
    eventually(
        lambda: all(now <= then for now, then in zip(resources(), early, strict=True))
    )


def test_what_was_evicted_is_a_gap(
    context: Context,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    eventually: Eventually,
) -> None:
    with Publisher(context, ANY_PORT, retention_bytes=4 * 4500) as publisher:
        for seq in range(10):
            publisher.send(frame(stream, seq, side=32))
        publisher.end(stream)
        eventually(lambda: not publisher.statistics().unsent)
        with Subscriber(context, [publisher.url]) as subscriber:
            events = listen(subscriber, Ended)
        kept_bytes = publisher.statistics().kept_bytes
    gap = next(event for event in events if isinstance(event, Gap))
    received = [event.message.seq for event in events if isinstance(event, Received)]
    assert gap == Gap(stream, 0, 5, EVICTED, Content.FRAME)
    assert received == [6, 7, 8, 9]
    assert kept_bytes <= 4 * 4500


def growing(frame: Frame, rows: int) -> Frame:
    """`frame` while `rows` of it had been scanned."""
    return replace(frame, completeness=Completeness.PARTIAL, valid_rows=rows)


def test_frames_that_are_being_scanned_take_no_room_from_whole_ones(
    context: Context,
    new_stream: Callable[[], Stream],
    frame: MakeFrame,
    listen: Listen,
    eventually: Eventually,
) -> None:
    whole, scanning = new_stream(), new_stream()
    with Publisher(context, ANY_PORT, retention_bytes=5 * 4500) as publisher:
        for seq in range(4):
            for rows in range(1, 32):
                seen = frame(scanning, 31 * seq + rows - 1, side=32)
                publisher.send(growing(seen, rows))
            publisher.send(frame(whole, seq, side=32))
        publisher.end(scanning)
        publisher.end(whole)
        eventually(lambda: not publisher.statistics().unsent)
        with Subscriber(context, [publisher.url]) as subscriber:
            events = [*listen(subscriber, Ended), *listen(subscriber, Ended)]
    received = [event.message for event in events if isinstance(event, Received)]
    assert [each.seq for each in received if each.stream == whole] == [0, 1, 2, 3]
    assert [each.seq for each in received if each.stream == scanning] == [123]
    (gap,) = [event for event in events if isinstance(event, Gap)]
    assert gap == Gap(scanning, 0, 122, SUPERSEDED, Content.FRAME)
    assert not gap.is_loss


def test_a_whole_frame_takes_the_place_of_what_was_scanned_of_it(
    context: Context,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    eventually: Eventually,
) -> None:
    """In a feed that has both: what is lost there is told from what is not."""
    with Publisher(context, ANY_PORT, retention_bytes=3 * 4500) as publisher:
        for seq in range(9):
            made = frame(stream, seq, side=32)
            publisher.send(growing(made, 8) if seq % 3 else made)
        publisher.end(stream)
        eventually(lambda: not publisher.statistics().unsent)
        with Subscriber(context, [publisher.url]) as subscriber:
            events = listen(subscriber, Ended)
    gaps = [event for event in events if isinstance(event, Gap)]
    received = [event.message.seq for event in events if isinstance(event, Received)]
    assert received == [3, 6, 8]
    assert gaps == [
        Gap(stream, 0, 0, EVICTED, Content.FRAME),
        Gap(stream, 1, 2, SUPERSEDED, Content.FRAME),
        Gap(stream, 4, 5, SUPERSEDED, Content.FRAME),
        Gap(stream, 7, 7, SUPERSEDED, Content.FRAME),
    ]
    assert [gap.is_loss for gap in gaps] == [True, False, False, False]


def test_a_source_that_keeps_everything_recalls_it(
    context: Context, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    def recall(stream_id: str, seq: int) -> Frame | str | None:
        assert stream_id == stream.id
        if seq == 3:
            raise OSError("no disk \udcff")
        if seq == 6:
            return SUPERSEDED
        return None if seq == 5 else frame(stream, seq)

    with Publisher(context, ANY_PORT, recall=recall, retention_bytes=0) as publisher:
        publisher.announce(stream, 8)
        publisher.end(stream)
        with Subscriber(context, [publisher.url]) as subscriber:
            events = listen(subscriber, Ended)
    gaps = [event for event in events if isinstance(event, Gap)]
    failed = "the source could not read it again: no disk ?"
    assert gaps == [
        Gap(stream, 3, 3, failed, Content.FRAME),
        Gap(stream, 5, 5, NEVER_SENT, Content.FRAME),
        Gap(stream, 6, 6, SUPERSEDED, Content.FRAME),
    ]
    received = [event.message.seq for event in events if isinstance(event, Received)]
    assert received == [0, 1, 2, 4, 7]


def test_what_is_recalled_says_when_it_was_sent_first(
    context: Context, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    def recall(_: str, seq: int) -> Recalled:
        return Recalled(frame(stream, seq), sent_ns=1000 + seq)

    with Publisher(context, ANY_PORT, recall=recall, retention_bytes=0) as publisher:
        publisher.announce(stream, 2)
        publisher.end(stream)
        with Subscriber(context, [publisher.url]) as subscriber:
            events = listen(subscriber, Ended)
    sent = [event.sent_ns for event in events if isinstance(event, Received)]
    assert sent == [1000, 1001]


def test_a_frame_that_takes_long_to_recall_arrives(
    context: Context,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    hurry: Callable[[], float],
) -> None:
    def recall(_: str, seq: int) -> Frame:
        """From a disk that takes 8 s, by the subscriber's clock."""
        deadline_s = hurry() + 8
        while hurry() < deadline_s:
            threading.Event().wait(0.01)
        return frame(stream, seq)

    with Publisher(context, ANY_PORT, recall=recall, heartbeat_s=0.1) as publisher:
        publisher.announce(stream, 2)
        publisher.end(stream)
        with Subscriber(context, [publisher.url], clock=hurry) as subscriber:
            events = listen(subscriber, Ended)
    assert [each.message.seq for each in events if isinstance(each, Received)] == [0, 1]


def test_a_restarted_source_that_recalls_goes_on_with_its_stream(
    context: Context, url: str, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    def recall(_: str, seq: int) -> Frame:
        return frame(stream, seq)

    before = Publisher(context, url, recall=recall)
    with Subscriber(context, [url]) as subscriber:
        before.send(frame(stream, 0))
        events = listen(subscriber, Received)
        before.close()
        with Publisher(context, url, recall=recall) as after:
            after.announce(stream, 3)
            after.send(frame(stream, 3))
            after.end(stream)
            events += listen(subscriber, Ended)
    received = [event.message.seq for event in events if isinstance(event, Received)]
    assert received == [0, 1, 2, 3]
    assert not any(isinstance(event, Gap | Abandoned) for event in events)


def test_a_stream_that_nobody_could_hear_of_is_refused(context: Context) -> None:
    with Publisher(context, ANY_PORT) as publisher, pytest.raises(WireError) as error:
        publisher.announce(Stream("../etc", "nion", "HAADF"), 3)
    assert str(error.value) == (
        "end header: stream is '../etc' (str), expected 1 to 64 letters, digits, '_', "
        "'-' or '.'"
    )


def test_as_many_streams_as_there_may_be_fit_into_a_heartbeat(
    context: Context, frame: MakeFrame, listen: Listen, eventually: Eventually
) -> None:
    long = "\N{MICROSCOPE}" * 256
    streams = [Stream(f"{number:064}", long, long) for number in range(MAX_STREAMS + 1)]
    with Publisher(context, ANY_PORT) as publisher:
        for stream in streams:
            publisher.send(frame(stream, 0))
            publisher.end(stream)
        # Who joins while they are still being sent hears of the first one as well.
        eventually(lambda: publisher.statistics().sent == len(streams))
        with Subscriber(context, [publisher.url]) as subscriber:
            heard = [listen(subscriber, Ended)[-1] for _ in range(MAX_STREAMS)]
    # The first one had to give way.
    assert {event.stream for event in heard} == set(streams[1:])


def test_a_huge_request_is_answered_no_faster_than_it_is_read(
    context: Context, stream: Stream, frame: MakeFrame, eventually: Eventually
) -> None:
    recalled: list[int] = []

    def recall(_: str, seq: int) -> Frame:
        recalled.append(seq)
        return frame(stream, seq, side=512)

    with (
        Publisher(context, ANY_PORT, recall=recall) as publisher,
        context.socket(zmq.DEALER) as client,
        context.socket(zmq.SUB) as live,
    ):
        publisher.announce(stream, 10_000)
        client.rcvhwm = 1
        live.subscribe("")
        live.connect(publisher.url)
        heartbeat = unpack(live.recv_multipart()).message
        assert isinstance(heartbeat, Heartbeat)
        client.connect(f"tcp://127.0.0.1:{heartbeat.catch_up}")
        request = Request(Feed(Content.FRAME, stream), 0, 9_999)
        client.send_multipart(pack(request, 0))
        eventually(lambda: publisher.statistics().caught_up > 0)
        settled = 0
        while settled != len(recalled):
            settled = len(recalled)
            client.poll(500, zmq.POLLOUT)
            # Meanwhile the live stream goes on as if nothing were the matter.
            publisher.send(frame(stream, 10_000))
            assert live.poll(10_000)
            live.recv_multipart()
        assert settled < 40
        for seq in range(100):
            answer = unpack(client.recv_multipart()).message
            assert isinstance(answer, Frame)
            assert answer.seq == seq


def test_requests_that_make_no_sense_are_counted(
    context: Context, stream: Stream, eventually: Eventually
) -> None:
    feed = Feed(Content.FRAME, stream)
    with (
        Publisher(context, ANY_PORT) as publisher,
        context.socket(zmq.SUB) as live,
        context.socket(zmq.DEALER) as client,
    ):
        live.subscribe("")
        live.connect(publisher.url)
        heartbeat = unpack(live.recv_multipart()).message
        assert isinstance(heartbeat, Heartbeat)
        client.connect(f"tcp://127.0.0.1:{heartbeat.catch_up}")
        client.send(b"garbage")
        client.send_multipart([b"garbage"] * 2000)
        client.send_multipart(pack(Unavailable(feed, 0, 0, "no"), 0))
        client.send_multipart(pack(Done("nobody", ()), 0))
        client.send_multipart(pack(Request(feed, 0, 2**62), 0))
        eventually(lambda: publisher.statistics().rejected == 3)
        assert publisher.statistics().joined == 0


def test_a_source_may_go_when_everybody_has_everything(
    context: Context, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    with Publisher(context, ANY_PORT) as publisher:
        publisher.send(frame(stream, 0))
        assert not publisher.wait_until_delivered(0)
        with (
            Subscriber(context, [publisher.url]) as quick,
            Subscriber(context, [publisher.url]) as late,
        ):
            listen(quick, Received)
            publisher.end(stream)
            listen(quick, Ended)
            # Only who asks for more has taken care of what it was handed.
            assert not publisher.wait_until_delivered(0.1)
            assert quick.receive(0.1) is None
            assert not publisher.wait_until_delivered(0.1)
            listen(late, Ended)
            late.receive(0)
            assert publisher.wait_until_delivered(10)
            assert publisher.statistics().joined == 2


def test_who_leaves_politely_is_not_waited_for(
    context: Context,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    eventually: Eventually,
) -> None:
    with Publisher(context, ANY_PORT) as publisher:
        publisher.send(frame(stream, 0))
        eventually(lambda: publisher.statistics().sent == 1)
        with Subscriber(context, [publisher.url]) as subscriber:
            listen(subscriber, Received)
        publisher.end(stream)
        assert publisher.wait_until_delivered(10)


def test_who_failed_is_waited_for_and_who_was_interrupted_is_not(
    context: Context, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    def fail(name: str, error: BaseException) -> None:
        with Subscriber(context, [publisher.url], name=name) as subscriber:
            listen(subscriber, Ended)
            raise error

    with Publisher(context, ANY_PORT) as publisher:
        publisher.send(frame(stream, 0))
        publisher.end(stream)
        with pytest.raises(KeyboardInterrupt):
            fail("viewer", KeyboardInterrupt())
        assert publisher.wait_until_delivered(10)
        with pytest.raises(OSError, match=r"^disk full$"):
            fail("service", OSError("disk full"))
        assert not publisher.wait_until_delivered(0.1)


def test_who_vanished_is_waited_for_until_it_is_back(
    context: Context,
    stream: Stream,
    frame: MakeFrame,
    listen: Listen,
    eventually: Eventually,
) -> None:
    with Publisher(context, ANY_PORT) as publisher:
        publisher.send(frame(stream, 0))
        with context.socket(zmq.SUB) as vanishing:
            vanishing.subscribe("subscriber/service")
            vanishing.connect(publisher.url)
            assert publisher.wait_for_subscriber(10)
        eventually(lambda: publisher.statistics().subscribers == 0)
        publisher.end(stream)
        assert not publisher.wait_until_delivered(0.1)
        with Subscriber(context, [publisher.url], name="service") as back:
            listen(back, Ended)
            back.receive(0)
            assert publisher.wait_until_delivered(10)
        assert publisher.statistics().joined == 1


def test_a_buffer_that_is_used_again_does_not_change_what_was_sent(
    context: Context, stream: Stream, listen: Listen
) -> None:
    buffer = np.zeros((256, 256), np.float32)
    with Publisher(context, ANY_PORT) as publisher:
        for seq in range(5):
            buffer[:] = seq
            publisher.send(Frame(stream, seq, buffer))
        publisher.end(stream)
        with Subscriber(context, [publisher.url]) as subscriber:
            events = listen(subscriber, Ended)
    frames = [event.message for event in events if isinstance(event, Received)]
    assert [image.image.max() for image in frames] == [0, 1, 2, 3, 4]


def test_what_was_sent_last_arrives_though_the_publisher_closes_at_once(
    context: Context, stream: Stream, frame: MakeFrame, listen: Listen
) -> None:
    with Publisher(context, ANY_PORT) as publisher:
        subscriber = Subscriber(context, [publisher.url])
        assert publisher.wait_for_subscriber(10)
        for seq in range(5):
            publisher.send(frame(stream, seq, side=512))
        publisher.end(stream)
    with subscriber:
        events = listen(subscriber, Ended)
    assert [e.message.seq for e in events if isinstance(e, Received)] == [0, 1, 2, 3, 4]


def test_a_closed_publisher_refuses_to_send(
    context: Context, stream: Stream, frame: MakeFrame
) -> None:
    with Publisher(context, ANY_PORT) as publisher:
        pass
    with pytest.raises(LinkError) as error:
        publisher.send(frame(stream, 0))
    assert str(error.value) == f"the publisher at {publisher.url} is closed"


def test_a_stream_that_ended_does_not_go_on(
    context: Context, stream: Stream, frame: MakeFrame
) -> None:
    with Publisher(context, ANY_PORT) as publisher:
        publisher.send(frame(stream, 0))
        publisher.end(stream)
        with pytest.raises(WireError) as error:
            publisher.send(frame(stream, 1))
    assert str(error.value) == (
        f"frame 1 of stream {stream.id}, which ended after 1; "
        "a new run needs a new stream id"
    )
