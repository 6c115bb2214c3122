"""The same faults for this project and for karabo-bridge: who loses what."""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from atomstream.bench.peer.environment import (
    KARABO_BRIDGE,
    Environment,
    default_folder,
    prepare,
)
from atomstream.bench.stream.runs import BY_KARABO
from atomstream.ports import free_address
from streamer.errors import SettingsError

PROGRAMS = Path(__file__).parent / "programs"
PATTERNS = ("PUB", "PUSH", "REP")
"""Karabo-bridge's three; the last two make the source wait."""
FRAMES, FRAMES_LONG = 150, 600
KILLS, KILLS_LONG = 3, 5
SIDE_PX = 256
PERIOD_S = 0.02
TOO_SLOW = 5
QUIET_S = 5.0
"""After which nothing more is expected of who cannot say that it was all."""
PATIENCE_S = 300.0


@dataclass(frozen=True)
class Outcome:
    """Of one system under one fault."""

    lost: int
    doubled: int
    in_order: bool
    source_waited_s: float
    """Longest that sending one frame took."""


class Program:
    """A process whose lines are read as they come."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self.changed_s = time.monotonic()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.lines.append(line.strip())
                self.changed_s = time.monotonic()

    def say(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def wait(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, self.lines[-3:]
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL; what it had said is read."""
        self.process.kill()
        self._reader.join()
        with self.process, suppress(BrokenPipeError):
            pass  # reaps it, and closes its pipes

    def seqs(self) -> list[int]:
        return [int(line) for line in self.lines if line.isdigit()]


class Ours:
    """This project: the consumer goes on after what it has taken care of."""

    def __init__(self, frames: int) -> None:
        self.url, self.stream = free_address(), str(uuid4())
        self.frames = frames

    def source(self) -> Program:
        return self._program(
            "source.py", stream=self.stream, side=SIDE_PX, first=0,
            last=self.frames - 1, period_s=PERIOD_S,
        )  # fmt: skip

    def consumer(self, rest_s: float, taken: int) -> Program:
        resume = {self.stream: taken}
        return self._program(
            "consumer.py", rest_s=rest_s, resume=resume, name="consumer"
        )

    def waited_s(self, source: Program) -> float:
        *_, last = [line for line in source.lines if line.startswith("{")]
        return float(max(json.loads(last)["took_ms"])) / 1e3

    def _program(self, program: str, **told: object) -> Program:
        whole = json.dumps({"url": self.url, **told})
        return Program([sys.executable, str(PROGRAMS / program), whole])


class Karabo:
    """Karabo-bridge with one of its patterns."""

    def __init__(self, environment: Environment, pattern: str, frames: int) -> None:
        self.python = str(environment.python)
        self.job = {
            "url": free_address(), "pattern": pattern, "size_px": SIDE_PX,
            "frames": frames, "per_second": 1 / PERIOD_S,
        }  # fmt: skip

    def source(self) -> Program:
        return self._program("send", self.job)

    def consumer(self, rest_s: float, taken: int) -> Program:
        del taken  # it cannot be told
        return self._program("receive", {**self.job, "seqs": True, "rest_s": rest_s})

    def waited_s(self, source: Program) -> float:
        told = [line for line in source.lines if line.startswith("{")]
        return float(json.loads(told[-1])["longest_s"])

    def _program(self, role: str, job: dict[str, Any]) -> Program:
        return Program([self.python, "-P", str(BY_KARABO), role, json.dumps(job)])


type System = Ours | Karabo


@contextmanager
def started(system: System) -> Iterator[Program]:
    source = system.source()
    try:
        source.wait(lambda: "bound" in source.lines)
        yield source
    finally:
        source.kill()


def outcome(system: System, source: Program, seqs: list[int], frames: int) -> Outcome:
    return Outcome(
        lost=frames - len(set(seqs)),
        doubled=len(seqs) - len(set(seqs)),
        in_order=seqs == sorted(seqs),
        source_waited_s=round(system.waited_s(source), 3),
    )


def is_over(source: Program, consumer: Program) -> bool:
    """The consumer says so, or, where it cannot, nothing has come for a while."""
    if "ready" not in consumer.lines:
        return "end" in consumer.lines
    quiet_s = time.monotonic() - max(consumer.changed_s, source.changed_s)
    has_sent = any(line.startswith("{") for line in source.lines)
    return has_sent and quiet_s > QUIET_S


def killed(system: System, frames: int, kills: int) -> Outcome:
    """The consumer is killed while it works, and started again at once."""
    chance = random.Random(4)
    seqs: list[int] = []
    with started(system) as source:
        for left in range(kills, -1, -1):
            # Somewhat slower than the source, so that frames wait for it.
            consumer = system.consumer(1.5 * PERIOD_S, len(set(seqs)))
            if isinstance(system, Karabo):
                consumer.wait(lambda c=consumer: "ready" in c.lines)
                source.say("go")
            enough = chance.randrange(5, frames // (kills + 2))
            consumer.wait(
                lambda c=consumer, n=enough: len(c.seqs()) >= n or is_over(source, c)
            )
            if left == 0:
                consumer.wait(lambda c=consumer: is_over(source, c))
            consumer.kill()
            seqs += consumer.seqs()
        return outcome(system, source, seqs, frames)


def slow(system: System, frames: int) -> Outcome:
    """The consumer takes five times as long for a frame as the source."""
    with started(system) as source:
        consumer = system.consumer(TOO_SLOW * PERIOD_S, 0)
        if isinstance(system, Karabo):
            consumer.wait(lambda: "ready" in consumer.lines)
            source.say("go")
        consumer.wait(lambda: is_over(source, consumer))
        consumer.kill()
        return outcome(system, source, consumer.seqs(), frames)


@pytest.fixture(scope="module")
def environment() -> Environment:
    try:
        return prepare(default_folder(KARABO_BRIDGE), KARABO_BRIDGE)
    except SettingsError as error:
        pytest.skip(f"karabo-bridge is not to be had: {error}")


def systems(environment: Environment, frames: int) -> dict[str, System]:
    peers = {
        f"karabo-bridge {pattern}": Karabo(environment, pattern, frames)
        for pattern in PATTERNS
    }
    return {"atomstream": Ours(frames), **peers}


def all_at_once(
    tried: dict[str, System], fault: Callable[[System], Outcome]
) -> dict[str, Outcome]:
    """They mostly wait, so they may do so together."""
    with ThreadPoolExecutor(len(tried)) as pool:
        return dict(zip(tried, pool.map(fault, tried.values()), strict=True))


@pytest.mark.timeout(900)
def test_the_consumer_is_killed(
    environment: Environment, long: bool, report: Callable[..., None]
) -> None:
    frames, kills = (FRAMES_LONG, KILLS_LONG) if long else (FRAMES, KILLS)
    found = all_at_once(
        systems(environment, frames), lambda system: killed(system, frames, kills)
    )
    report(
        frames=frames,
        kills=kills,
        **{name: asdict(each) for name, each in found.items()},
    )
    assert_whole(found)


@pytest.mark.timeout(900)
def test_the_consumer_is_too_slow(
    environment: Environment, long: bool, report: Callable[..., None]
) -> None:
    frames = FRAMES_LONG if long else FRAMES
    found = all_at_once(
        systems(environment, frames), lambda system: slow(system, frames)
    )
    report(frames=frames, **{name: asdict(each) for name, each in found.items()})
    assert_whole(found)


def assert_whole(found: dict[str, Outcome]) -> None:
    """Ours is whole; what others do is reported, and is not ours to demand."""
    ours = found["atomstream"]
    assert (ours.lost, ours.doubled, ours.in_order) == (0, 0, True)
