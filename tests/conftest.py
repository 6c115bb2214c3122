"""Fixtures for the tests of every package.

With `--long`, tests that kill or that last take the full counts; without, small ones.
What a test measures it reports as one line of JSON in pytest's summary, and in a file
where `--figures FILE` or ATOMSTREAM_FIGURES names one.
"""

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import hypothesis
import psutil
import pytest

from streamer.errors import SessionError
from streamer.session.reader import SessionReader
from streamer.session.records import Totals

# How fast an example is depends on what else the machine does.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

FIGURES = pytest.StashKey[list[str]]()
type Report = Callable[..., None]
type Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real frames, which are not part of the project."""
    beside = Path(__file__).parents[1] / ".." / "shared" / "data"
    folder = Path(os.environ.get("ATOMSTREAM_TEST_DATA", beside)).resolve()
    if not folder.is_dir():
        pytest.skip("no real frames here: ATOMSTREAM_TEST_DATA names their folder")
    return folder


@pytest.fixture(scope="session")
def saved_by_atomai() -> Path:
    """Folder of files that AtomAI itself saved; beside them is what made them."""
    return Path(__file__).parent / "inference" / "training" / "atomai" / "saved"


@pytest.fixture(scope="session")
def imported(
    tmp_path_factory: pytest.TempPathFactory, saved_by_atomai: Path
) -> Callable[..., Path]:
    """Model made of one or two of those files; each is made once, it takes seconds."""
    pytest.importorskip("torch", reason="needs the extra [train]")
    from inference.training.atomai.bringing import Wanted, bring
    from inference.training.atomai.networks import read_pair

    @cache
    def made(file: str, encoder: str | None = None) -> Path:
        out = tmp_path_factory.mktemp("imported") / "model"
        second = saved_by_atomai / encoder if encoder else None
        unet, vae = read_pair(saved_by_atomai / file, second)
        with warnings.catch_warnings(action="default"):  # torch's exporter has some
            bring(
                unet, vae, Wanted("mine", 1 / 64, crystallinity=-2 if vae else 1), out
            )
        return out

    return made


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start a command as a process, which does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def spawn_command(*arguments: str | Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "atomstream", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield spawn_command
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool], float], None]:
    """Wait until a condition holds; fail when it does not within a time limit."""

    def wait(condition: Callable[[], bool], limit_s: float = 40) -> None:
        deadline = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline, f"not within {limit_s} s"
            time.sleep(0.05)

    return wait


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("atomstream")
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


def totals_of(session: Path) -> Totals:
    """What is in a session; nothing while it is not there yet."""
    try:
        with SessionReader(session) as reader:
            return reader.totals()
    except SessionError:
        return Totals(0, 0, 0, 0)


@pytest.fixture(scope="session")
def totals() -> Callable[[Path], Totals]:
    return totals_of
