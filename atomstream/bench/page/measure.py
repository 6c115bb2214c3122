"""The benchmark of the live page: each part in turn."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atomstream.bench.machine import this_machine
from atomstream.bench.page.analyses import DIFFERENT, analysed_movie, endless, images
from atomstream.bench.page.beside import beside
from atomstream.bench.page.chromium import find_chromium
from atomstream.bench.page.figures import PageFigures
from atomstream.bench.page.looking import endurance, seen, update
from atomstream.bench.scenes import PIXEL_SIZE_NM
from atomstream.progress import Report


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    size_px: int
    """Rows and columns of the frames."""
    frames: int
    """Looked at by a browser, one a second; as many updates are measured without."""
    endure: int
    """Frames after which memory is compared."""
    loads: int
    """Pages opened and closed."""
    viewers: int
    """Beside the service."""


def bench_page(plan: Plan, report: Callable[[str], Report]) -> PageFigures:
    """Measure; `report` gives each part's own progress.

    Raises
    ------
    SettingsError, LinkError
        A part of it failed.
    """
    return asyncio.run(_bench(plan, report))


async def _bench(plan: Plan, report: Callable[[str], Report]) -> PageFigures:
    machine = this_machine()
    movie = images(plan.size_px)
    few = analysed_movie(movie)
    by_browser = None
    if find_chromium():
        by_browser = await seen(endless(few), plan.frames, report("browser"))
    updates = await update(endless(few), plan.frames, report("updates"))
    lasting = await endurance(
        endless(few), plan.endure, plan.loads, report("endurance")
    )
    with tempfile.TemporaryDirectory() as folder:
        service = await beside(
            np.stack(movie),
            PIXEL_SIZE_NM,
            max(5, plan.frames // DIFFERENT),
            plan.viewers,
            Path(folder),
            report("service"),
        )
    return PageFigures(
        machine=machine,
        size_px=plan.size_px,
        atoms=len(few[0].atoms),
        seen=by_browser,
        update=updates,
        endurance=lasting,
        beside=service,
    )
