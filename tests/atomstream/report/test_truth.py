"""What the page says of a movie agrees with what was simulated."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from inference.holes import holes_of
from streamer.simulator.microscope import Microscope, scaled_microscope
from streamer.simulator.movie import Exposure, Movie, evolve, expose
from tests.atomstream.report.sessions import (
    EPOCH_NS,
    STREAM,
    Page,
    made,
)

FRAMES = 50
EVERY = 6
"""In the short form: as ruined in the end, in fewer frames, of a smaller field."""
CORRELATED = 0.98
APART_DEG, WITHIN_DEG = 60.0, 2.0


@dataclass
class Truth:
    """Of each frame."""

    carbon: list[int]
    hole_area_nm2: list[float]
    crystallinity: list[float]

    def add(self, exposure: Exposure) -> None:
        there, setting = exposure.truth, exposure.microscope
        rowcol = np.column_stack([there.row_px, there.col_px]).astype(np.float64)
        holes = holes_of(
            rowcol * setting.pixel_size_nm, setting.shape, setting.pixel_size_nm
        )
        self.carbon.append(int((there.species == 0).sum()))
        self.hole_area_nm2.append(holes.area_nm2)
        self.crystallinity.append(float(there.crystallinity.mean()))


def exposures(long: bool) -> Iterator[Exposure]:
    """All frames of the demo's movie, or some of a smaller one."""
    rng = np.random.default_rng(1)
    setting = Microscope() if long else scaled_microscope(512, 8.0, 1.0)
    movie = Movie(FRAMES, microscope=setting)
    every = 1 if long else EVERY
    for index, specimen in enumerate(islice(evolve(movie, rng), None, None, every)):
        yield expose(specimen.sheet, [specimen.blob], setting, index, rng)


def correlation(one: list[float], other: list[float]) -> float:
    return float(np.corrcoef(np.array(one), np.array(other))[0, 1])


@pytest.mark.timeout(900)
def test_trends_and_peaks_are_those_of_the_simulated_movie(
    reported: Callable[..., Page],
    report: Callable[..., None],
    tmp_path: Path,
    long: bool,
) -> None:
    truth = Truth([], [], [])
    with made(tmp_path / "movie") as making:
        for exposure in exposures(long):
            truth.add(exposure)
            making.add(exposure.frame(STREAM, EPOCH_NS))
        making.end(len(truth.carbon))
    page = reported(making.folder)
    trends = page.table("trends").to_pydict()
    figures = {
        "c": correlation(trends["c"], truth.carbon),
        "hole_area": correlation(trends["hole_area_nm2"], truth.hole_area_nm2),
        "crystallinity": correlation(trends["mean_crystallinity"], truth.crystallinity),
    }
    first, second = page.table("angle-peaks")["peak_deg"].to_pylist()
    apart = (second - first) % 120
    report(**figures, apart_deg=apart, frames=len(truth.carbon))
    assert min(figures.values()) >= CORRELATED, figures
    assert apart == pytest.approx(APART_DEG, abs=WITHIN_DEG)
