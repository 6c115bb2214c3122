"""The computer's clock is set back an hour between two frames."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import zmq

from atomstream.service.jobs import job_of
from atomstream.service.recording import Recording
from streamer.events import Ended
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import FrameKey
from streamer.session.spool import Spool
from streamer.session.verify import verify
from streamer.subscriber import Subscriber

type Report = Callable[..., None]
HOUR_NS = 3_600_000_000_000
FRAMES = 20


class Clock:
    """Goes back an hour, and another one, and another one."""

    def __init__(self) -> None:
        self.back_ns = 0

    def __call__(self) -> int:
        return time.time_ns() + 5 * HOUR_NS - self.back_ns


@pytest.mark.parametrize("whose", ["source", "service", "both"])
def test_order_and_record_are_unaffected_and_no_latency_is_negative(
    tmp_path: Path, whose: str, report: Report
) -> None:
    clock = Clock()
    theirs = clock if whose != "service" else time.time_ns
    ours = clock if whose != "source" else time.time_ns
    stream = Stream(str(uuid4()), "SuperScan", "HAADF")
    with (
        FrameRecorder(tmp_path / "session") as recorder,
        SessionReader(tmp_path / "session") as session,
        zmq.Context() as context,
        Publisher(context, "tcp://127.0.0.1:0", wall_ns=theirs) as publisher,
        Subscriber(context, [publisher.url], wall_ns=ours) as subscriber,
    ):
        spool = Spool(tmp_path / "spool")
        recording = Recording(recorder, session, subscriber, spool, wall_ns=ours)
        assert publisher.wait_for_subscriber(20)
        for seq in range(FRAMES):
            if seq % 5 == 4:
                clock.back_ns += HOUR_NS
            image = np.full((24, 24), seq, np.float32)
            now_ns = theirs()
            publisher.send(
                Frame(stream, seq, image, start_ns=now_ns - 10**9, end_ns=now_ns)
            )
        publisher.end(stream)
        event = None
        deadline_s = time.monotonic() + 40
        while not isinstance(event, Ended):
            assert time.monotonic() < deadline_s
            event = subscriber.receive(0.1)
            if event is not None:
                recording.take(event)
        seqs = [record.seq for record in session.frames(stream.id)]
        commits = [key.seq for key in session.pending()]
        waited_s = [
            job_of(session, FrameKey(stream.id, seq)).history.waited_s for seq in seqs
        ]
        for seq in seqs:
            assert (session.frame(stream.id, seq).image == seq).all()
        assert session.gaps() == []
    report(whose=whose, frames=len(seqs), least_latency_s=round(min(waited_s), 3))
    assert seqs == commits == list(range(FRAMES))
    assert min(waited_s) >= 0
    assert verify(tmp_path / "session").whole
