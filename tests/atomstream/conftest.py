"""Runs the command line within the test."""

import sys
from collections.abc import Callable
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
def movie(tmp_path: Path, run: Run) -> Path:
    """A simulated movie of three small frames."""
    path = tmp_path / "movie.tif"
    size = ("--frames", "3", "--size", "192", "--field-of-view", "3")
    assert run("simulate", path, *size).code == 0
    return path
