"""Runs the command line: within the test, or as a process of its own."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atomstream.__main__ import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


type Run = Callable[..., Outcome]
type Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command to its end within this process."""

    def run_command(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["atomstream", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        code = stop.value.code
        out, err = capfd.readouterr()
        return Outcome(code if isinstance(code, int) else 0, out, err)

    return run_command


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


@pytest.fixture
def movie(tmp_path: Path, run: Run) -> Path:
    """A simulated movie of three small frames."""
    path = tmp_path / "movie.tif"
    size = ("--frames", "3", "--size", "192", "--field-of-view", "3")
    assert run("simulate", path, *size).code == 0
    return path
