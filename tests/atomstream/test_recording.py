"""What is recorded is recorded in the order of its stream, whatever comes first."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zmq

from atomstream.ports import free_address
from atomstream.service.recording import Recording
from streamer.events import Ended, Gap, Received
from streamer.frame import Frame, Stream
from streamer.messages import Content
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.spool import Spool
from streamer.subscriber import Subscriber

STREAM = Stream("5f0c", "SuperScan", "HAADF")


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    session = tmp_path / "session"
    with (
        FrameRecorder(session) as recorder,
        SessionReader(session) as reader,
        zmq.Context() as context,
        Subscriber(context, [free_address()]) as subscriber,
    ):
        yield Recording(recorder, reader, subscriber, Spool(tmp_path / "spool"))


def frame(seq: int) -> Received:
    image = np.full((8, 8), seq, np.float32)
    return Received(Frame(STREAM, seq, image), sent_ns=0, received_ns=100 + seq)


def gap(first: int, last: int) -> Gap:
    return Gap(STREAM, first, last, "no more", Content.FRAME)


def committed(recording: Recording) -> list[int]:
    """In the order of commits."""
    return [key.seq for key in recording.session.pending()]


def test_a_frame_whose_turn_has_not_come_waits(recording: Recording) -> None:
    for seq in (0, 3, 2):
        recording.take(frame(seq))
    assert committed(recording) == [0]
    recording.take(frame(1))
    assert committed(recording) == [0, 1, 2, 3]
    assert recording.spool.frames() == []


def test_a_gap_and_an_end_whose_turn_has_not_come_are_not_believed(
    recording: Recording,
) -> None:
    recording.take(frame(0))
    recording.take(gap(2, 3))
    recording.take(Ended(STREAM, 4, Content.FRAME))
    assert recording.session.gaps() == []
    assert recording.session.streams()[0].total is None
    recording.take(frame(1))
    recording.take(gap(2, 3))
    recording.take(Ended(STREAM, 4, Content.FRAME))
    assert [(g.first, g.last) for g in recording.session.gaps()] == [(2, 3)]
    assert recording.session.streams()[0].total == 4


def test_what_waits_in_memory_is_not_lost_when_its_source_has_it_no_more(
    recording: Recording,
) -> None:
    for seq in (0, 3, 5):
        recording.take(frame(seq))
    recording.take(gap(1, 6))
    assert committed(recording) == [0, 3, 5]
    found = [(g.first, g.last, g.reason) for g in recording.session.gaps()]
    assert found == [(1, 2, "no more"), (4, 4, "no more"), (6, 6, "no more")]


def test_a_gap_never_covers_what_is_recorded(recording: Recording) -> None:
    for seq in range(3):
        recording.take(frame(seq))
    recording.take(gap(0, 4))
    assert [(g.first, g.last) for g in recording.session.gaps()] == [(3, 4)]
