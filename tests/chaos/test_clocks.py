"""Clocks that are set while a stream runs: they decide nothing."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import zmq

from streamer.events import Ended, Gap, Received
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.subscriber import Subscriber

START_NS = 1_700_000_000 * 10**9
HOUR_NS = 3600 * 10**9
FRAMES = 12
STEPS = {
    "the source's clock an hour back": (-HOUR_NS, 0),
    "the receiver's clock an hour back": (0, -HOUR_NS),
    "the source's clock an hour on": (HOUR_NS, 0),
    "both clocks back, one after the other": (-HOUR_NS, -2 * HOUR_NS),
}


class Clock:
    """A second for each time that it is asked; now and then it is set."""

    def __init__(self) -> None:
        self.now_ns = START_NS

    def __call__(self) -> int:
        self.now_ns += 10**9
        return self.now_ns


@pytest.mark.parametrize("name", STEPS)
def test_order_and_record_are_those_of_the_source(
    name: str, tmp_path: Path, report: Callable[..., None]
) -> None:
    source_step_ns, receiver_step_ns = STEPS[name]
    source_clock, receiver_clock = Clock(), Clock()
    stream = Stream(str(uuid4()), "simulator", "HAADF")
    with (
        zmq.Context() as context,
        Publisher(context, "tcp://127.0.0.1:*", wall_ns=source_clock) as publisher,
        Subscriber(context, [publisher.url], wall_ns=receiver_clock) as subscriber,
        FrameRecorder(tmp_path / "session") as recorder,
    ):
        got: list[Received] = []
        for seq in range(FRAMES):
            start_ns = source_clock()
            image = np.full((16, 16), seq, np.float32)
            publisher.send(Frame(stream, seq, image, start_ns=start_ns))
            source_clock.now_ns += source_step_ns
            got += received(subscriber)
            receiver_clock.now_ns += receiver_step_ns
        publisher.end(stream)
        for event in got:
            recorder.commit_frame(event.message, event.received_ns)
        with SessionReader(tmp_path / "session") as reader:
            recorded = [record.seq for record in reader.frames(stream.id)]
    latencies_s = [event.latency_s for event in got]
    report(frames=len(got), least_latency_s=min(latencies_s))
    assert [event.message.seq for event in got] == list(range(FRAMES))
    assert recorded == list(range(FRAMES))
    assert all(latency_s >= 0 for latency_s in latencies_s)
    # What is handed over says itself what the clocks said.
    assert any(a.sent_ns > b.sent_ns for a, b in itertools.pairwise(got)) == (
        source_step_ns < 0
    )


def received(subscriber: Subscriber) -> Iterator[Received]:
    """The next frame, once it is there."""
    while event := subscriber.receive(20):
        assert not isinstance(event, Gap | Ended)
        if isinstance(event, Received):
            yield event
            return
    raise AssertionError("nothing came")
