"""Clocks that are set while a stream runs: they decide nothing."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import zmq

from atomstream.service.jobs import job_of
from atomstream.service.recording import Recording
from streamer.events import Ended, Event, Received
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import FrameKey
from streamer.session.spool import Spool
from streamer.session.verify import verify
from streamer.subscriber import Subscriber

type Report = Callable[..., None]
SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
FRAMES = 12
STEPS = {
    "the source's clock an hour back": (-HOUR_NS, 0),
    "the service's clock an hour back": (0, -HOUR_NS),
    "the source's clock an hour on": (HOUR_NS, 0),
    "the service's clock an hour on": (0, HOUR_NS),
    "both clocks back": (-HOUR_NS, -2 * HOUR_NS),
}


class Clock:
    """A second for each time that it is asked; now and then it is set."""

    def __init__(self) -> None:
        self.now_ns = time.time_ns()

    def __call__(self) -> int:
        self.now_ns += SECOND_NS
        return self.now_ns


@pytest.mark.parametrize("name", STEPS)
def test_order_and_record_are_unaffected_and_no_latency_is_negative(
    name: str, tmp_path: Path, report: Report
) -> None:
    source_step_ns, service_step_ns = STEPS[name]
    theirs, ours = Clock(), Clock()
    stream = Stream(str(uuid4()), "SuperScan", "HAADF")
    session = tmp_path / "session"
    got: list[Received] = []
    with (
        FrameRecorder(session) as recorder,
        SessionReader(session) as reader,
        zmq.Context() as context,
        Publisher(context, "tcp://127.0.0.1:0", wall_ns=theirs) as publisher,
        Subscriber(context, [publisher.url], wall_ns=ours) as subscriber,
    ):
        spool = Spool(tmp_path / "spool")
        recording = Recording(recorder, reader, subscriber, spool, wall_ns=ours)
        for seq in range(FRAMES):
            now_ns = theirs()
            image = np.full((24, 24), seq, np.float32)
            publisher.send(
                Frame(stream, seq, image, start_ns=now_ns - SECOND_NS, end_ns=now_ns)
            )
            theirs.now_ns += source_step_ns
            got += received(until(Received, subscriber, recording))
            ours.now_ns += service_step_ns
        publisher.end(stream)
        got += received(until(Ended, subscriber, recording))
        seqs = [record.seq for record in reader.frames(stream.id)]
        commits = [key.seq for key in reader.pending()]
        waited_s = [
            job_of(reader, FrameKey(stream.id, seq)).history.waited_s for seq in seqs
        ]
        for seq in seqs:
            assert (reader.frame(stream.id, seq).image == seq).all()
        assert reader.gaps() == []
    latencies_s = [event.latency_s for event in got]
    report(frames=len(seqs), least_latency_s=round(min(latencies_s + waited_s), 3))
    assert [event.message.seq for event in got] == list(range(FRAMES))
    assert seqs == commits == list(range(FRAMES))
    assert min(latencies_s + waited_s) >= 0
    assert verify(session).whole
    # What is handed over says itself what the clocks said.
    assert any(a.sent_ns > b.sent_ns for a, b in itertools.pairwise(got)) == (
        source_step_ns < 0
    )


def until(
    kind: type[Event], subscriber: Subscriber, recording: Recording
) -> Iterator[Event]:
    """Record what comes, up to the first of a kind."""
    deadline_s = time.monotonic() + 40
    while time.monotonic() < deadline_s:
        event = subscriber.receive(0.1)
        if event is not None:
            recording.take(event)
            yield event
        if isinstance(event, kind):
            return
    raise AssertionError(f"no {kind.__name__}")


def received(events: Iterator[Event]) -> list[Received]:
    return [event for event in events if isinstance(event, Received)]
