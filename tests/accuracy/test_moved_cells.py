"""Displacements put into real frames are answered, not smoothed away."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.locate import locate
from inference.matching import MATCH_NM, match
from inference.model import Model, load_model
from inference.refinement.refine import Refined, refine
from inference.segment import segment
from tests.accuracy.voronoi import moved_cells, slope_of_answer

DISPLACED_NM = 0.012
"""Standard deviation along each axis."""
BORDER_NM = 0.15
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Seen:
    start: NDArray[np.float64]
    found: Refined


def analysed(image: NDArray[np.float32], pixel_size_nm: float, model: Model) -> Seen:
    """Network and fit, knowing nothing but the image."""
    maps = segment(image, pixel_size_nm, model.card.dcnn, model.segment)
    assert maps is not None
    peaks = locate(maps.carbon, maps.silicon, model.card.dcnn)
    start = maps.grid.to_frame(peaks.rowcol)
    species = (peaks.silicon_share > 0.5).astype(np.uint8)
    return Seen(start, refine(image, start, species, peaks.score, pixel_size_nm))


def answered(
    image: NDArray[np.float32], pixel_size_nm: float, model: Model, seed: int
) -> float:
    """Slope of what is answered against the displacements that were put in."""
    before = analysed(image, pixel_size_nm, model)
    count = len(before.start)
    displacement = np.random.default_rng(seed).normal(
        0, DISPLACED_NM / pixel_size_nm, (count, 2)
    )
    moved = moved_cells(image, before.start, displacement)
    after = analysed(moved, pixel_size_nm, model)
    pairs = match(after.start, before.start + displacement, MATCH_NM / pixel_size_nm)
    border = BORDER_NM / pixel_size_nm
    far = np.array(image.shape) - border
    inside = ((before.start > border) & (before.start < far)).all(axis=1)[pairs.true]
    new, old = pairs.found[inside], pairs.true[inside]
    answer = after.found.rowcol[new] - before.found.rowcol[old]
    return slope_of_answer(answer, displacement[old])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "pixel_size_nm", "least"),
    [
        ("graphene_si/G-dimSi.npy", 0.00386, 0.90),
        ("graphene/G-GrainBoundary-6nm.npy", 0.01195, 0.75),
    ],
    ids=["Si dimer", "grain boundary"],
)
def test_moved_cells_of_a_real_frame_are_seen_to_move(
    real_data: Path, file: str, pixel_size_nm: float, least: float
) -> None:
    image = np.load(real_data / file).astype(np.float32)
    model = load_model("graphene-si", threads=1)
    slopes = [answered(image, pixel_size_nm, model, seed) for seed in SEEDS]
    assert least <= np.mean(slopes) < 1.1


def test_a_cell_shows_what_lay_its_displacement_before() -> None:
    row, col = np.indices((40, 60), float)
    atoms = np.array([[20.0, 15.0], [20.0, 45.0]])
    moved = moved_cells(row + 100 * col, atoms, np.array([[1.5, 0.0], [0.0, -2.0]]))
    assert moved[20, 15] == pytest.approx(18.5 + 1500, abs=1e-2)
    assert moved[20, 45] == pytest.approx(20 + 4700, abs=1e-2)
