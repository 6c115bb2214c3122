"""A real service that analyses a movie while its page is looked at."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atomstream.bench.page.figures import Beside
from atomstream.bench.page.looking import viewers
from atomstream.bench.spread import Spread, spread
from atomstream.ports import free_address
from atomstream.progress import Report
from streamer.errors import SessionError, SettingsError
from streamer.session.reader import SessionReader
from streamer.session.records import AnalysisRecord

PERIOD_S = 2.0
"""Between frames: sixteen times the microscope's rate."""
WARM = 3
"""Analyses that do not count."""
STARTS_WITHIN_S = 60.0


async def beside(
    images: NDArray[np.float32],
    pixel_size_nm: float,
    frames: int,
    count: int,
    folder: Path,
    report: Report,
) -> Beside:
    """As many frames while nobody looks as while `count` viewers do."""
    stack = folder / "movie.npy"
    np.save(stack, images)
    with running(stack, pixel_size_nm, folder / "session") as page:
        first = WARM + frames
        await analysed(folder / "session", first, report, 0, 2 * first)
        async with viewers(page, count):
            done = await analysed(
                folder / "session", 2 * first, report, first, 2 * first
            )
    alone, watched = done[WARM:first], done[first + WARM : 2 * first]
    return Beside(count, frames, took(alone), took(watched))


def took(records: list[AnalysisRecord]) -> Spread:
    """All stages of each frame together, ms."""
    return spread([sum(record.stages_ms.values()) for record in records])


async def analysed(
    session: Path, count: int, report: Report, done: int, total: int
) -> list[AnalysisRecord]:
    """The analyses of a session when there are `count`."""
    deadline_s = time.monotonic() + STARTS_WITHIN_S + 4 * PERIOD_S * count
    while time.monotonic() < deadline_s:
        records = analyses_in(session)
        report(max(done, len(records)), total)
        if len(records) >= count:
            return records
        await asyncio.sleep(0.5)
    raise SettingsError(f"the service analysed no {count} frames in time")


def analyses_in(session: Path) -> list[AnalysisRecord]:
    """What is there by now; nothing before the service has begun."""
    try:
        with SessionReader(session) as reader:
            # Each turn of a movie that is repeated is a stream of its own.
            ids = [record.stream.id for record in reader.streams()]
            return [each for id_ in ids for each in reader.analyses(id_)]
    except SessionError:
        return []


@contextmanager
def running(stack: Path, pixel_size_nm: float, session: Path) -> Iterator[str]:
    """A replay and a service with a page; gives the page's address."""
    source = free_address()
    page = free_address().removeprefix("tcp://")
    replay = ["replay", str(stack), "--bind", source, "--loop"]
    replay += ["--period", str(PERIOD_S), "--pixel-size", str(pixel_size_nm)]
    serve = ["serve", "--connect", source, "--record", str(session)]
    serve += ["--publish", free_address(), "--dashboard", page]
    with ExitStack() as processes:
        for command in (replay, serve):
            processes.enter_context(program(command))
        yield f"http://{page}"


@contextmanager
def program(command: list[str]) -> Iterator[None]:
    """A command of this project, ended after the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "atomstream", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()
