"""What is recorded is recorded in the order of its stream, whatever comes first."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zmq

from atomstream.ports import free_address
from atomstream.service.recording import Recording
from streamer.events import Abandoned, Ended, Gap, Heard, Received, Stands
from streamer.frame import Frame, Stream
from streamer.messages import Content
from streamer.publisher import Publisher
from streamer.service_state import Recorded, ServiceState
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.spool import Spool
from streamer.session.verify import verify
from streamer.subscriber import Subscriber

STREAM = Stream("5f0c", "SuperScan", "HAADF")
OTHER = Stream("77aa", "SuperScan", "HAADF")


class Clock:
    def __init__(self) -> None:
        self.now_s = time.monotonic()

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recording(tmp_path: Path, clock: Clock) -> Iterator[Recording]:
    session = tmp_path / "session"
    with (
        FrameRecorder(session) as recorder,
        SessionReader(session) as reader,
        zmq.Context() as context,
        Subscriber(context, [free_address()]) as subscriber,
    ):
        spool = Spool(tmp_path / "spool")
        yield Recording(recorder, reader, subscriber, spool, clock=clock)


def frame(seq: int, stream: Stream = STREAM) -> Received:
    image = np.full((8, 8), seq, np.float32)
    return Received(Frame(stream, seq, image), sent_ns=0, received_ns=100 + seq)


def gap(first: int, last: int) -> Gap:
    return Gap(STREAM, first, last, "no more", Content.FRAME)


def committed(recording: Recording) -> list[int]:
    """In the order of commits."""
    return [key.seq for key in recording.session.pending() if key[0] == STREAM.id]


def lost(recording: Recording) -> list[tuple[int, int]]:
    return [(gap.first, gap.last) for gap in recording.session.gaps()]


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


def test_what_waits_of_a_dead_stream_is_recorded_while_another_goes_on(
    recording: Recording, clock: Clock
) -> None:
    for seq in (0, 3):
        recording.take(frame(seq))
    for seq in range(10):
        clock.now_s += 10
        recording.take(frame(seq, OTHER))
        recording.look()
    assert committed(recording) == [0, 3]
    assert lost(recording) == [(1, 2)]


def test_a_stream_that_nobody_has_is_settled_only_when_every_source_is_heard(
    recording: Recording, clock: Clock
) -> None:
    recording.sources = ("tcp://one:1", "tcp://two:2")
    recording.take(frame(0))
    recording.take(frame(3))
    recording.take(Heard("tcp://one:1"))
    clock.now_s += 100
    recording.look()
    assert committed(recording) == [0]
    recording.take(Heard("tcp://two:2"))
    clock.now_s += 59
    recording.look()
    assert lost(recording) == []
    clock.now_s += 2
    recording.look()
    assert committed(recording) == [0, 3]
    assert lost(recording) == [(1, 2)]


def test_a_source_that_is_silent_is_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    with (
        FrameRecorder(tmp_path / "session") as recorder,
        SessionReader(tmp_path / "session") as session,
        zmq.Context() as context,
        Publisher(context, "tcp://127.0.0.1:0") as publisher,
        Subscriber(context, [publisher.url]) as subscriber,
    ):
        spool = Spool(tmp_path / "spool")
        recording = Recording(
            recorder, session, subscriber, spool, (publisher.url,), clock
        )
        publisher.send(frame(0).message)
        deadline_s = time.monotonic() + 40
        while committed(recording) != [0]:
            assert time.monotonic() < deadline_s
            if event := subscriber.receive(0.1):
                recording.take(event)
        publisher.close()
        recording.take(frame(3))
        for _ in range(10):
            clock.now_s += 100
            recording.look()
        assert lost(recording) == []
        for seq in (1, 2, 4):
            recording.take(frame(seq))
        assert committed(recording) == [0, 1, 2, 3, 4]
        assert verify(session.folder).whole


def test_a_frame_that_is_damaged_in_memory_is_part_of_the_gap(
    recording: Recording,
) -> None:
    for seq in (0, 5, 6, 7):
        recording.take(frame(seq))
    recording.spool.frames()[1].path.write_bytes(b"nonsense")
    recording.take(gap(1, 7))
    recording.take(Ended(STREAM, 8, Content.FRAME))
    assert committed(recording) == [0, 5, 7]
    assert lost(recording) == [(1, 4), (6, 6)]
    assert verify(recording.session.folder).whole


def test_a_frame_that_is_damaged_in_memory_is_waited_for_in_its_turn(
    recording: Recording,
) -> None:
    for seq in (0, 2, 3):
        recording.take(frame(seq))
    recording.spool.frames()[0].path.write_bytes(b"nonsense")
    recording.take(frame(1))
    assert committed(recording) == [0, 1]
    recording.take(frame(2))
    assert committed(recording) == [0, 1, 2, 3]


def test_an_index_that_cannot_be_asked_for_a_moment_stops_nobody(
    recording: Recording, clock: Clock
) -> None:
    recording.take(frame(0))
    index = recording.session._connection
    index.set_progress_handler(lambda: 1, 1)  # every question is refused
    recording.take(frame(1))
    index.set_progress_handler(None, 1)
    assert committed(recording) == [0]
    clock.now_s += 1
    recording.look()
    assert committed(recording) == [0, 1]


def test_what_is_known_of_a_source_that_has_gone_is_in_the_ledger_to_its_end(
    recording: Recording, clock: Clock
) -> None:
    recording.take(frame(0))
    index = recording.session._connection
    index.set_progress_handler(lambda: 1, 1)
    recording.take(frame(1))
    recording.take(gap(2, 4))
    recording.take(Abandoned(STREAM, 5, Content.FRAME))
    index.set_progress_handler(None, 1)
    clock.now_s += 1
    recording.look()
    assert committed(recording) == [0, 1]
    assert lost(recording) == [(2, 4)]


def test_a_source_that_says_how_it_stands_at_every_heartbeat_fills_no_session(
    recording: Recording,
) -> None:
    for waiting in range(100):
        state = ServiceState("theirs", 0, 0, waiting, 0, Recorded.YES)
        recording.take(Stands("tcp://source:5555", state))
    assert recording.session.events() == []
