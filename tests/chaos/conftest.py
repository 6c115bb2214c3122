"""Real processes that are killed, and the figures of what came of it.

`uv run pytest tests/chaos --long` takes the full counts; without, they are small.
Each test reports its figures as one line of JSON in pytest's summary, and in a file
where `--figures FILE` or ATOMSTREAM_FIGURES names one.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from atomstream.ports import free_address
from streamer.errors import SessionError
from streamer.session.reader import SessionReader
from streamer.session.records import Totals

FIGURES = pytest.StashKey[list[str]]()
type Report = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chaos")
    group.addoption("--long", action="store_true", help="take the full counts")
    group.addoption("--figures", metavar="FILE", help="append lines of JSON here")


@pytest.fixture(scope="session")
def long(pytestconfig: pytest.Config) -> bool:
    """Whether the full counts are asked for."""
    return bool(pytestconfig.getoption("--long", default=False))


@pytest.fixture
def report(request: pytest.FixtureRequest, long: bool) -> Report:
    """Report the figures of a test: names and values that JSON knows."""
    config = request.config

    def write(**figures: object) -> None:
        line = json.dumps({"test": request.node.name, "long": long, **figures})
        config.stash.setdefault(FIGURES, []).append(line)
        file = config.getoption("--figures", default=None)
        file = file or os.environ.get("ATOMSTREAM_FIGURES")
        if file:
            with Path(file).open("a") as lines:
                lines.write(f"{line}\n")

    return write


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    lines = config.stash.get(FIGURES, [])
    if lines:
        terminalreporter.section("figures")
    for line in lines:
        terminalreporter.line(line)


@dataclass
class Program:
    """A command of atomstream as a process; what it says goes to a file."""

    arguments: tuple[str, ...]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "atomstream", *self.arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | self.environment,
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL, and nothing else: what it started is on its own."""
        self.process.kill()
        self.process.wait()

    def kill_all(self) -> None:
        """SIGKILL for it and everything that it started."""
        family = [self.process.pid]
        with suppress(psutil.NoSuchProcess):
            family += [
                child.pid
                for child in psutil.Process(self.process.pid).children(recursive=True)
            ]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


type Start = Callable[..., Program]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Start]:
    """Start commands, which do not outlive the test."""
    started: list[Program] = []

    def start(*arguments: str | Path, **environment: str) -> Program:
        name = f"{len(started)}-{arguments[0]}.log"
        new = Program(tuple(map(str, arguments)), tmp_path / name, environment)
        started.append(new)
        return new

    yield start
    for each in started:
        each.kill_all()


@dataclass(frozen=True)
class Running:
    """A service, a source that sends it a stack, and the session of both."""

    service: Program
    session: Path
    page: str
    """HOST:PORT, for a service that was told to have a page."""


type Attach = Callable[..., Running]


@pytest.fixture
def attached(tmp_path: Path, program: Start) -> Attach:
    """Start a service, and a replay of images at one each `period_s`."""

    def start(
        images: np.ndarray[Any, np.dtype[np.float32]],
        period_s: float,
        *options: str,
        page: bool = False,
    ) -> Running:
        stack, session, source = (
            tmp_path / "stack.npy",
            tmp_path / "session",
            free_address(),
        )
        np.save(stack, images)
        address = free_address().removeprefix("tcp://")
        shown = ("--dashboard", address) if page else ()
        service = program(
            "serve", "--connect", source, "--record", session, "--threads", "1",
            "--publish", free_address(), *shown, *options,
        )  # fmt: skip
        program(
            "replay", stack, "--bind", source,
            "--period", str(period_s), "--pixel-size", "0.02",
        )  # fmt: skip
        return Running(service, session, address)

    return start


def noise(frames: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A stack of noise, no two frames alike; small, where frames are what counts."""
    images = np.random.default_rng(frames).poisson(4, (frames, 24, 24))
    return images.astype(np.float32)


@pytest.fixture(scope="session")
def noise_of() -> Callable[[int], np.ndarray[Any, np.dtype[np.float32]]]:
    return noise


def index_of(session: Path) -> sqlite3.Connection:
    """The index of a session that is there; it is not made when it is not."""
    url = f"{(session / 'session.sqlite').as_uri()}?mode=rw"
    return sqlite3.connect(url, uri=True, timeout=30)


def process_of(session: Path, role: str) -> int | None:
    """Id of the process that has, or had last, a role in a session."""
    with (
        suppress(sqlite3.Error),
        closing(index_of(session)) as index,
    ):
        query = "SELECT pid FROM services WHERE role = ?"
        row = index.execute(query, (role,)).fetchone()
        return None if row is None else int(row[0])
    return None


def totals_of(session: Path) -> Totals:
    """What is in a session; nothing while it is not there yet."""
    try:
        with SessionReader(session) as reader:
            return reader.totals()
    except SessionError:
        return Totals(0, 0, 0, 0)


@pytest.fixture(scope="session")
def process_with() -> Callable[[Path, str], int | None]:
    return process_of


@pytest.fixture(scope="session")
def totals() -> Callable[[Path], Totals]:
    return totals_of


@pytest.fixture(scope="session")
def kill() -> Callable[[int | None], None]:
    def kill_process(pid: int | None) -> None:
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    return kill_process


@dataclass
class Disk:
    """A small file system of its own, which can be filled and freed."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Take all the room there is."""
        with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            for nbytes in (2**16, 2**12, 1):
                with suppress(OSError):
                    while True:
                        ballast.write(bytes(nbytes))

    def free(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 48 MB; mounting it takes root, or sudo without a password."""
    folder = tmp_path / "disk"
    folder.mkdir()
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size=48m,uid={os.getuid()},mode=700"
    command = [*root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    if tried.returncode:
        pytest.skip(f"no small file system can be mounted here: {tried.stderr}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run([*root, "umount", "--lazy", str(folder)], check=True)
