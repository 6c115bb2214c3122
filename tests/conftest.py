"""Fixtures for the tests of every package."""

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

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
