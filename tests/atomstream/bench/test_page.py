"""What the benchmark of the live page counts, on a small page."""

import asyncio
import math
from dataclasses import replace

import pytest

from atomstream.bench.machine import this_machine
from atomstream.bench.page.analyses import analysed_movie, endless, images
from atomstream.bench.page.figures import (
    Beside,
    Endurance,
    PageFigures,
    Seen,
    Update,
)
from atomstream.bench.page.looking import endurance, update
from atomstream.bench.page.targets import rows
from atomstream.bench.spread import Spread
from streamer.analysis import Analysis

SIZE_PX = 128
AT_ONCE = Spread(1.0, 2.0)


@pytest.fixture(scope="module")
def few() -> list[Analysis]:
    return analysed_movie(images(SIZE_PX))


def nothing(_done: int, _total: int) -> None:
    """Reports to nobody."""


def test_a_movie_that_is_repeated_is_one_stream_of_one_model(
    few: list[Analysis],
) -> None:
    frames = endless(few)
    shown = [next(frames) for _ in range(2 * len(few))]
    assert [frame.seq for frame in shown] == list(range(len(shown)))
    assert len({frame.stream for frame in shown}) == 1
    assert min(len(frame.atoms) for frame in shown) > 80


def test_an_update_has_the_bytes_of_its_image_and_atoms(few: list[Analysis]) -> None:
    taken = asyncio.run(update(endless(few), 10, nothing))
    least_kb = few[0].preview.image.nbytes / 1e3
    assert least_kb < taken.kilobytes.p50 < least_kb + 250
    assert taken.updates == 10
    assert math.isfinite(taken.server_cpu_ms)
    assert taken.frame_cpu_ms > 0


def test_memory_is_looked_at_after_half_and_all_frames_and_after_all_pages(
    few: list[Analysis],
) -> None:
    lasting = asyncio.run(endurance(endless(few), 10, 2, nothing, forgotten_s=0))
    assert (lasting.frames, lasting.loads) == (10, 2)
    assert 50 < lasting.half_mb < 1000
    assert lasting.loads_mb >= lasting.half_mb / 2


FIGURES = PageFigures(
    machine=this_machine(),
    size_px=1024,
    atoms=9500,
    seen=Seen(60, 0, AT_ONCE, 900.0, {"pan": Spread(90.0, 200.0)}),
    update=Update(60, Spread(880.0, 890.0), 19.0, 8.0),
    endurance=Endurance(5000, 200, half_mb=600.0, frames_mb=610.0, loads_mb=620.0),
    beside=Beside(10, 20, alone_ms=Spread(400, 500), watched_ms=Spread(420, 600)),
)


def test_what_reaches_everything_says_so() -> None:
    verdicts = {row.reached for row in rows(FIGURES)}
    assert verdicts == {True, None}


@pytest.mark.parametrize(
    ("missed", "what"),
    [
        (replace(FIGURES, update=replace(FIGURES.update, server_cpu_ms=21.0)), "CPU"),
        (
            replace(FIGURES, update=replace(FIGURES.update, kilobytes=Spread(901, 0))),
            "update, kB",
        ),
        (
            replace(FIGURES, endurance=replace(FIGURES.endurance, frames_mb=700.0)),
            "memory grows",
        ),
        (
            replace(FIGURES, beside=replace(FIGURES.beside, watched_ms=Spread(450, 0))),
            "a frame's analysis",
        ),
        (
            replace(
                FIGURES,
                seen=Seen(60, 0, AT_ONCE, 1100.0, {"pan": Spread(90.0, 200.0)}),
            ),
            "published to painted",
        ),
    ],
    ids=["cpu", "bytes", "memory", "service", "painted"],
)
def test_what_misses_one_says_which(missed: PageFigures, what: str) -> None:
    assert [what in row.what for row in rows(missed) if row.reached is False] == [True]


def test_without_a_browser_nothing_is_claimed_of_one() -> None:
    said = [row.what for row in rows(replace(FIGURES, seen=None))]
    assert not any("painted" in what or "pan" in what for what in said)
