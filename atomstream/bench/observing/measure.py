"""A real service with metrics and a log, fifty times as fast as the microscope."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from numpy.typing import NDArray

from atomstream.bench.machine import this_machine
from atomstream.bench.observing.figures import ObservingFigures
from atomstream.bench.observing.processes import cpu_s
from atomstream.bench.scenes import PIXEL_SIZE_NM, draw_scene
from atomstream.logs import LogFormat
from atomstream.ports import free_address
from atomstream.progress import Report
from streamer.analysis import FRAME_BUDGET_S
from streamer.errors import SessionError, SettingsError
from streamer.session.reader import SessionReader

TIMES_NOMINAL = 50
PERIOD_S = FRAME_BUDGET_S / TIMES_NOMINAL
SCRAPE_S = 10.0
"""Between two scrapes, as in deploy/prometheus."""
WARM = 5
"""Analyses before anything is counted."""
SPARE = 30
"""Frames beyond those that count, before and after: a movie has no turn in it."""
MOVIE = "movie.npy"
STARTS_WITHIN_S = 90.0
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    size_px: int
    """Rows and columns of the frames."""
    frames: int
    """That count."""


@dataclass(slots=True)
class Observed:
    """A service that runs, and where it says what."""

    session: Path
    log: Path
    metrics: str
    """Address of its metrics."""
    pid: int
    """Of the process that minds the others, which has nothing to say meanwhile."""
    scrapes: int = 0
    _scraped_s: float = field(default=0.0, init=False)

    def analyses(self) -> int:
        """How many there are by now."""
        try:
            with SessionReader(self.session) as reader:
                return reader.totals().analyses
        except SessionError:
            return 0

    def lines(self) -> list[str]:
        """Of the log, by now."""
        return self.log.read_text(encoding="utf-8").splitlines()

    def cpu_s(self) -> Mapping[str, float]:
        """Of each process by now; the log says which they are."""
        told = [json.loads(line) for line in self.lines()]
        pids = {line["process"]: line["pid"] for line in told}
        pids["service"] = self.pid
        return {name: cpu_s(pid) for name, pid in pids.items()}

    def wait_to_begin(self) -> None:
        """Let it start, until it could analyse a frame.

        Raises
        ------
        SettingsError
            It does not in time.
        """
        deadline_s = time.monotonic() + STARTS_WITHIN_S
        while not any(
            json.loads(line)["process"] == "analyse" for line in self.lines()
        ):
            if time.monotonic() > deadline_s:
                raise SettingsError(f"no service within {STARTS_WITHIN_S:g} s")
            time.sleep(LOOK_S)

    def wait_for(self, count: int, limit_s: float) -> None:
        """Let it get on, and scrape meanwhile.

        Raises
        ------
        SettingsError
            There are not so many analyses in time.
        """
        deadline_s = time.monotonic() + limit_s
        while self.analyses() < count:
            if time.monotonic() > deadline_s:
                raise SettingsError(f"the service analysed no {count} frames in time")
            if time.monotonic() - self._scraped_s > SCRAPE_S:
                self._scrape()
            time.sleep(LOOK_S)

    def _scrape(self) -> None:
        self._scraped_s = time.monotonic()
        try:
            with urlopen(self.metrics, timeout=SCRAPE_S) as answer:
                answer.read()
        except URLError:  # not there yet
            return
        self.scrapes += 1


def bench_observing(plan: Plan, report: Report) -> ObservingFigures:
    """Run a service, and look at the CPU time of its processes before and after.

    Raises
    ------
    SettingsError
        It does not analyse as many frames in time, or this is not Linux.
    """
    machine = this_machine()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        report(0, 3)
        write_movie(folder / MOVIE, draw_scene(plan.size_px).image, plan.frames + SPARE)
        report(1, 3)
        with running(folder) as service:
            service.wait_for(WARM, STARTS_WITHIN_S)
            begun, before, said = service.analyses(), service.cpu_s(), service.lines()
            scrapes, start_s = service.scrapes, time.monotonic()
            service.wait_for(begun + plan.frames, 10 * PERIOD_S * plan.frames)
            wall_s, after = time.monotonic() - start_s, service.cpu_s()
            frames, lines = service.analyses() - begun, len(service.lines())
        report(2, 3)
        costs = {form: cost_of(form, folder / "lines") for form in LogFormat}
        report(3, 3)
    return ObservingFigures(
        machine=machine,
        size_px=plan.size_px,
        period_s=PERIOD_S,
        frames=frames,
        wall_s=wall_s,
        cpu_s={name: after[name] - before[name] for name in before},
        scrapes=service.scrapes - scrapes,
        lines=lines - len(said),
        line_us=costs[LogFormat.JSON],
        text_line_us=costs[LogFormat.TEXT],
    )


def write_movie(file: Path, image: NDArray[np.float32], frames: int) -> None:
    """The same frame again and again, as a stack that memory need not hold."""
    shape = (frames, *image.shape)
    movie = np.lib.format.open_memmap(file, "w+", dtype=np.float32, shape=shape)
    movie[:] = image
    movie.flush()


@contextmanager
def running(folder: Path) -> Iterator[Observed]:
    """A replay, and a service that logs as JSON and serves metrics."""
    source, port = free_address(), free_address().rpartition(":")[2]
    session, log_file = folder / "session", folder / "log"
    replay = ["replay", str(folder / MOVIE), "--bind", source]
    replay += ["--period", str(PERIOD_S), "--pixel-size", str(PIXEL_SIZE_NM)]
    serve = ["serve", "--connect", source, "--record", str(session)]
    serve += ["--publish", free_address(), "--metrics", port, "--no-refine"]
    serve += ["--log-format", "json"]
    with (
        log_file.open("w", encoding="utf-8") as log,
        program(serve, log.fileno()) as service,
    ):
        metrics = f"http://127.0.0.1:{port}/metrics"
        observed = Observed(session, log_file, metrics, service.pid)
        # It would have to make up for what came while it started.
        observed.wait_to_begin()
        with program(replay, subprocess.DEVNULL):
            yield observed


@contextmanager
def program(command: list[str], stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    """A command of this project, ended after the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "atomstream", *command],
        stdout=subprocess.DEVNULL,
        stderr=stderr,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def cost_of(form: LogFormat, file: Path) -> float:
    """CPU time of a line in a process of its own, µs."""
    command = [sys.executable, "-m", "atomstream.bench.observing.log_cost"]
    done = subprocess.run(
        [*command, form, str(file)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)
