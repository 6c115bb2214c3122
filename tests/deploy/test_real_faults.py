"""Alerts that begin with a real fault of the service, its source or its disk.

As in `test_real_prometheus.py`, with faults that take root, signals or a source of
one's own. Some alerts are seen in neither: AtomstreamFellBackToCpu takes a GPU, nothing
yet makes an analysis fail for AtomstreamAnalysisFails, a clock wrong for
AtomstreamLinkSlow or a frame wait alone for AtomstreamFrameWaitsLong.
"""

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import zmq

from atomstream.ports import free_address
from streamer.analysis import FRAME_BUDGET_S
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from tests.deploy.conftest import tool
from tests.deploy.watching import LOOK_BACK, Watch, configured, free_port, prometheus

type Program = Any
type Start = Callable[..., Program]
type Wait = Callable[[Callable[[], bool], float], None]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PERIOD_S = 0.25
SIDE_PX = 64
PATIENCE_S = 120.0
PAGE = {"AtomstreamPageUnreachable"}
"""There is no page here; its alert stands all the time."""
TRIES = 3
RESTARTS = 3


class Microscope:
    """A source within the test, which can lose frames."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._stream = Stream.new("a test", "HAADF")
        self._rng = np.random.default_rng(1)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.next_seq = 0
        self.side_px = SIDE_PX

    def __enter__(self) -> "Microscope":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def lose(self, frames: int) -> None:
        """Never send the next ones."""
        self.next_seq += frames

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            image = self._rng.random((self.side_px, self.side_px), np.float32)
            frame = Frame(self._stream, self.next_seq, image, pixel_size_nm=0.02)
            self._publisher.send(frame)
            self.next_seq += 1


@contextmanager
def microscope() -> Iterator[tuple[str, Microscope]]:
    """One that scans, and where it sends."""
    url = free_address()
    with zmq.Context() as context, Publisher(context, url) as publisher:
        with Microscope(publisher) as scanning:
            yield url, scanning
        publisher.close(0)


@dataclass(frozen=True)
class Watched:
    """A service that records what a microscope sends, and the alerts of it."""

    service: Program
    session: Path
    metrics_port: int
    scan: Microscope
    watch: Watch

    def process(self, role: str) -> int:
        """Id of the process that receives or analyses."""
        with closing(self._index()) as index:
            query = "SELECT pid FROM services WHERE role = ?"
            return int(index.execute(query, (role,)).fetchone()[0])

    def metrics_process(self) -> int | None:
        """Id of the process that answers Prometheus; None while nobody does."""
        for child in psutil.Process(self.service.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                ports = [
                    each.laddr.port
                    for each in child.net_connections()
                    if each.status == psutil.CONN_LISTEN
                ]
                if self.metrics_port in ports:
                    return child.pid
        return None

    def begun(self, at_least: int) -> tuple[int, int, int] | None:
        """A frame that was begun so often and has not ended: seq, tries, who does."""
        with closing(self._index()) as index:
            query = (
                "SELECT seq, tries, (SELECT pid FROM services WHERE role = 'analyser')"
                " FROM attempts JOIN frames ON number = frame"
                " WHERE tries >= ? AND reason IS NULL"
            )
            found: tuple[int, int, int] | None = index.execute(
                query, (at_least,)
            ).fetchone()
            return found

    def _index(self) -> sqlite3.Connection:
        url = f"{(self.session / 'session.sqlite').as_uri()}?mode=rw"
        return sqlite3.connect(url, uri=True, timeout=30)


@contextmanager
def watched(
    session: Path, folder: Path, deploy: Path, program: Start, wait_for: Wait
) -> Iterator[Watched]:
    """Everything in order, but that there is no page."""
    metrics = free_port()
    config = configured(deploy, folder, metrics, free_port())
    with (
        microscope() as (url, scan),
        prometheus(
            tool("prometheus", "Debian's package of that name"), config, wait_for
        ) as watch,
    ):
        service = program(
            "serve", "--connect", url, "--record", session, "--no-refine",
            "--publish", free_address(), "--metrics", str(metrics), "--threads", "1",
        )  # fmt: skip
        analysed = "atomstream_frames_analysed_total"
        wait_for(lambda: (watch.value(analysed) or 0) > 5, PATIENCE_S)
        seen = Watched(service, session, metrics, scan, watch)
        until_well(seen, wait_for)
        yield seen


def until_fires(seen: Watched, alert: str, wait_for: Wait) -> None:
    """Wait until an alert stands, whatever others come with it."""
    wait_for(lambda: alert in seen.watch.firing(), PATIENCE_S)


def until_well(seen: Watched, wait_for: Wait) -> None:
    """Wait until none does, for as long as faults are remembered."""
    try:
        wait_for(lambda: seen.watch.firing() == PAGE, PATIENCE_S)
    except AssertionError as error:
        error.add_note(f"{seen.watch.firing()} stand; {seen.service.said()[-2000:]}")
        raise


def test_a_service_that_hangs_falls_behind_or_dies_of_a_frame(
    deploy: Path, tmp_path: Path, program: Start, wait_for: Wait
) -> None:
    session = tmp_path / "session"
    with watched(session, tmp_path, deploy, program, wait_for) as seen:
        # It hangs for longer than a frame may take …
        analyser, hung_s = seen.process("analyser"), time.monotonic()
        os.kill(analyser, signal.SIGSTOP)
        until_fires(seen, "AtomstreamServiceSilent", wait_for)
        wait_for(lambda: time.monotonic() - hung_s > FRAME_BUDGET_S + 3, PATIENCE_S)
        # … and has a lot to do when it goes on.
        os.kill(analyser, signal.SIGCONT)
        until_fires(seen, "AtomstreamBacklog", wait_for)
        until_fires(seen, "AtomstreamFramesLate", wait_for)
        assert "AtomstreamServiceSilent" not in seen.watch.firing()
        until_well(seen, wait_for)

        # The source loses frames.
        seen.scan.lose(3)
        until_fires(seen, "AtomstreamFramesMissing", wait_for)
        until_well(seen, wait_for)


def test_a_service_whose_parts_die(
    deploy: Path, tmp_path: Path, program: Start, wait_for: Wait
) -> None:
    session = tmp_path / "session"
    with watched(session, tmp_path, deploy, program, wait_for) as seen:
        # The analysis dies of a frame, each time that it tries.
        seen.scan.side_px = 1024
        for tries in range(1, TRIES + 1):
            found: list[tuple[int, int, int]] = []

            def begun(tries: int = tries, found: list[Any] = found) -> bool:
                found[:] = [each for each in [seen.begun(tries)] if each]
                return bool(found)

            wait_for(begun, PATIENCE_S)
            seen.scan.side_px = SIDE_PX
            os.kill(found[0][2], signal.SIGKILL)
        until_fires(seen, "AtomstreamFramesSetAside", wait_for)
        retry = program("sessions", "retry", session)
        assert retry.process.wait(PATIENCE_S) == 0, retry.said()
        until_well(seen, wait_for)

        # What answers Prometheus dies again and again.
        for times in range(1, RESTARTS + 1):
            process = seen.metrics_process()
            assert process is not None
            os.kill(process, signal.SIGKILL)
            wait_for(lambda times=times: restarts(seen) == times, PATIENCE_S)
        until_fires(seen, "AtomstreamRestarts", wait_for)
        until_fires(seen, "AtomstreamProcessRestarts", wait_for)
        until_well(seen, wait_for)


def restarts(seen: Watched) -> float | None:
    """How many of them Prometheus has seen lately."""
    starts = f"changes(atomstream_start_time_seconds[{LOOK_BACK['30m']}])"
    return seen.watch.value(starts)


LOW_BYTES = 10 * 10**9


@dataclass(frozen=True)
class Disk:
    """A file system of its own; it takes memory only for what lies in it."""

    folder: Path
    root: tuple[str, ...]

    def has(self, nbytes: int) -> None:
        """Make it as large as this, and what is free the rest."""
        command = [*self.root, "mount", "-o", f"remount,size={nbytes}"]
        subprocess.run([*command, str(self.folder)], check=True, timeout=20)

    def used(self) -> int:
        status = os.statvfs(self.folder)
        return (status.f_blocks - status.f_bfree) * status.f_frsize


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """With 11 GB; mounting it takes root, or sudo without a password."""
    folder = tmp_path / "disk"
    folder.mkdir()
    root = () if os.geteuid() == 0 else ("sudo", "-n")
    options = f"size={LOW_BYTES + 10**9},uid={os.getuid()},mode=700"
    command = [*root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    if tried.returncode:
        pytest.skip(f"no file system can be mounted here: {tried.stderr}")
    try:
        yield Disk(folder, root)
    finally:
        subprocess.run([*root, "umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_fills(
    deploy: Path, tmp_path: Path, disk: Disk, program: Start, wait_for: Wait
) -> None:
    session = disk.folder / "session"
    with watched(session, tmp_path, deploy, program, wait_for) as seen:
        ballast = disk.folder / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 3 * 10**8)
        until_fires(seen, "AtomstreamDiskFillsWithinADay", wait_for)
        until_well(seen, wait_for)

        disk.has(LOW_BYTES)
        until_fires(seen, "AtomstreamDiskLow", wait_for)
        assert "AtomstreamNotRecording" not in seen.watch.firing()

        disk.has(disk.used() + 4096)
        until_fires(seen, "AtomstreamNotRecording", wait_for)
        assert "AtomstreamDiskLow" in seen.watch.firing()

        disk.has(LOW_BYTES + 10**9)
        until_well(seen, wait_for)
