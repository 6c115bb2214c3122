"""Real processes that are killed: the service, its parts, and who sends to it."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomstream.ports import free_address

type Start = Callable[..., Any]


@dataclass(frozen=True)
class Running:
    """A service, a source that sends it a stack, and the session of both."""

    service: Any
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


@pytest.fixture(scope="session")
def process_with() -> Callable[[Path, str], int | None]:
    return process_of


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
