"""Sources that are killed in the middle of a stream, again and again."""

import json
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
import zmq

from atomstream.ports import free_address
from streamer.events import Abandoned, Ended, Event, Gap, Received
from streamer.frame import Frame
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.verify import verify
from streamer.subscriber import Subscriber

PROGRAM = Path(__file__).parent / "programs" / "source.py"
KILLS, KILLS_LONG = 4, 20
RECONNECT_S = 3.0
"""Half of them must be this quick on any machine, all of them …"""
BUSY_S = 10.0
"""… on one that has something else to do."""
PERIOD_S = 0.02
PATIENCE_S = 60.0
LAST, LAST_PERIOD_S = 100, 0.1
"""Frames of a source that is not killed: it has to be heard for more than 3 s until
what it does not list any more is given up."""
EARLIER = 2000
"""Frames that a source has before it is connected to, too many to be fetched before
it is killed."""
UNSENT = 3
"""Frames that the microscope makes while its source is away."""


@pytest.fixture
def tcp_url() -> str:
    return free_address()


@dataclass
class Run:
    """One life of the source."""

    stream: str
    first: int
    process: subprocess.Popen[str]
    bound_s: float
    said: list[int] = field(default_factory=list)

    @property
    def newest(self) -> int:
        """The last that it said to have sent; it may have sent one more."""
        return self.said[-1] if self.said else self.first - 1


class Receiver:
    """What a service does with events: what it has taken is on the disk."""

    def __init__(self, subscriber: Subscriber, recorder: FrameRecorder) -> None:
        self.subscriber, self.recorder = subscriber, recorder
        self.events: list[Event] = []
        self.newest_s = 0.0
        """When the last frame came."""

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, self.events[-5:]
            if event := self.subscriber.receive(0.05):
                self.take(event)

    def take(self, event: Event) -> None:
        self.events.append(event)
        match event:
            case Received(message=Frame() as frame):
                assert (frame.image == frame.seq).all()
                self.recorder.commit_frame(frame, event.received_ns)
            case Gap(stream, first, last, reason):
                self.recorder.commit_gap(stream, first, last, reason, 0)
            case Ended(stream, total):
                self.recorder.commit_end(stream, total)
            case _:
                pass

    def over(self, kind: type[Ended] | type[Abandoned]) -> list[str]:
        """Streams of which nothing more will come."""
        return [event.stream.id for event in self.events if isinstance(event, kind)]

    def frames(self, stream: str) -> list[int]:
        """In the order in which they were handed over."""
        return [
            event.message.seq
            for event in self.events
            if isinstance(event, Received) and event.message.stream.id == stream
        ]

    def await_more(self, run: Run, count: int) -> float:
        """Seconds until the first frame of a run; returns when `count` have come."""
        before = len(self.frames(run.stream))
        self.until(lambda: len(self.frames(run.stream)) > before)
        took_s = time.monotonic() - run.bound_s
        self.until(lambda: len(self.frames(run.stream)) >= before + count)
        return took_s


@contextmanager
def source(
    url: str,
    stream: str,
    first: int = 0,
    count: int = 10**6,
    *,
    keeps_all: bool = False,
    period_s: float = PERIOD_S,
) -> Iterator[Run]:
    told = {
        "url": url, "stream": stream, "side": 64, "period_s": period_s,
        "first": first, "last": first + count - 1, "keeps_all": keeps_all,
    }  # fmt: skip
    command = [sys.executable, PROGRAM, json.dumps(told)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "bound\n"
            yield Run(stream, first, process, time.monotonic())
        finally:
            process.kill()


def kill(run: Run) -> None:
    """SIGKILL; all that it had said is read."""
    run.process.send_signal(signal.SIGKILL)
    run.process.wait()
    assert run.process.stdout is not None
    run.said = [int(line) for line in run.process.stdout if line.endswith("\n")]


def each(runs: Iterable[tuple[int, int]]) -> list[int]:
    return [seq for first, last in runs for seq in range(first, last + 1)]


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return tmp_path / "session"


@pytest.fixture
def receiver(session: Path, tcp_url: str) -> Iterator[Receiver]:
    with (
        FrameRecorder(session) as recorder,
        zmq.Context() as context,
        Subscriber(context, [tcp_url], topics=["frame/"]) as subscriber,
    ):
        yield Receiver(subscriber, recorder)


def ledger(session: Path, stream: str) -> tuple[list[int], list[int]]:
    """What of a stream is on the disk, and what the disk says is lost."""
    assert verify(session).problems == ()
    with SessionReader(session) as reader:
        frames = [record.seq for record in reader.frames(stream)]
        gaps = [gap for gap in reader.gaps() if gap.stream_id == stream]
    return frames, each((gap.first, gap.last) for gap in gaps)


def assert_reconnected(took_s: list[float], report: Callable[..., None]) -> None:
    report(
        kills=len(took_s),
        reconnect_median_s=round(statistics.median(took_s), 2),
        reconnect_longest_s=round(max(took_s), 2),
    )
    assert statistics.median(took_s) <= RECONNECT_S
    assert max(took_s) <= BUSY_S


@pytest.mark.timeout(900)
def test_runs_of_a_killed_source_are_never_merged(
    receiver: Receiver,
    session: Path,
    tcp_url: str,
    long: bool,
    report: Callable[..., None],
) -> None:
    chance, runs, took_s = random.Random(1), [], []
    for _ in range(KILLS_LONG if long else KILLS):
        with source(tcp_url, str(uuid4()), EARLIER, keeps_all=True) as run:
            runs.append(run)
            took_s.append(receiver.await_more(run, chance.randrange(1, 60)))
            kill(run)
    last_of_all = source(tcp_url, str(uuid4()), count=LAST, period_s=LAST_PERIOD_S)
    with last_of_all as last:
        receiver.until(lambda: len(receiver.over(Abandoned)) == len(runs))
        receiver.until(lambda: receiver.over(Ended) == [last.stream])
    assert sorted(receiver.over(Abandoned)) == sorted(run.stream for run in runs)
    for run in runs:
        got, lost = ledger(session, run.stream)
        assert receiver.frames(run.stream) == got
        # Of the frames that died with it the last ones were never heard of.
        (known,) = (
            event.next_seq
            for event in receiver.events
            if isinstance(event, Abandoned) and event.stream.id == run.stream
        )
        assert sorted(got + lost) == list(range(known))
        assert EARLIER <= known <= run.newest + 2
        assert lost
    assert ledger(session, last.stream) == (list(range(LAST)), [])
    assert_reconnected(took_s, report)


@pytest.mark.timeout(900)
def test_the_ledger_names_exactly_what_a_killed_source_took_with_it(
    receiver: Receiver,
    session: Path,
    tcp_url: str,
    long: bool,
    report: Callable[..., None],
) -> None:
    chance, stream = random.Random(2), str(uuid4())
    runs: list[Run] = []
    took_s, taken_before, first = [], [], 0
    for _ in range(KILLS_LONG if long else KILLS):
        with source(tcp_url, stream, first) as run:
            runs.append(run)
            took_s.append(receiver.await_more(run, chance.randrange(1, 60)))
            kill(run)
            taken_before.append(receiver.frames(stream)[-1])
        first = run.newest + 2 + UNSENT
    with source(tcp_url, stream, first, count=10):
        receiver.until(lambda: receiver.over(Ended) == [stream])
    got, lost = ledger(session, stream)
    assert receiver.frames(stream) == got
    assert sorted(got + lost) == list(range(first + 10))
    unsent = each((run.newest + 2, run.newest + 1 + UNSENT) for run in runs)
    assert set(unsent) <= set(lost)
    for run, taken in zip(runs, taken_before, strict=True):
        # What died with it is what had not been handed over by then.
        assert not set(lost) & set(range(run.first, taken + 1))
    report(frames=first + 10, unsent=len(unsent), taken_along=len(lost) - len(unsent))
    assert_reconnected(took_s, report)
