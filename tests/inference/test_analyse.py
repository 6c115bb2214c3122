"""The path of a frame to its atoms, on frames that no training used."""

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.evaluation.scoring import Score, score
from inference.matching import match
from streamer.analysis import Analysis
from streamer.frame import Frame
from streamer.simulator.sheet import Sheet
from tests.inference.exposing import (
    each_pixel_size,
    each_stage,
    exposed,
    fingerprint,
    microscope,
    rowcol,
)

type MakeFrame = Callable[..., Frame]
type Scored = Callable[[str, float], Score]


@pytest.fixture(scope="module")
def scored(
    analyser: Analyser, make_frame: MakeFrame, stages: Mapping[str, Sheet]
) -> Scored:
    """Marks of a frame at the nominal dose, which no model was trained on."""

    @functools.cache
    def scored(stage: str, pixel_size_nm: float) -> Score:
        exposure = exposed(stages[stage], microscope(pixel_size_nm))
        size = exposure.microscope.pixel_size_nm
        frame = make_frame(exposure.image, pixel_size_nm=size)
        atoms = analyser.analyse(frame, History()).atoms
        return score(atoms, exposure.truth, frame.shape, size)

    return scored


@each_stage
@each_pixel_size
def test_atoms_are_found(scored: Scored, stage: str, pixel_size_nm: float) -> None:
    result = scored(stage, pixel_size_nm)
    assert result.f1 >= 0.97
    assert result.edge_recall >= 0.9
    assert result.rmsd_pm < 17  # measured; the bound of these scenes is 13 to 15


@each_stage
@each_pixel_size
def test_silicon_is_told_from_carbon(
    scored: Scored, stage: str, pixel_size_nm: float
) -> None:
    result = scored(stage, pixel_size_nm)
    assert result.silicon_precision >= 0.9
    assert result.silicon_recall >= 0.9


@each_stage
@each_pixel_size
def test_the_lattice_is_oriented(
    scored: Scored, stage: str, pixel_size_nm: float
) -> None:
    result = scored(stage, pixel_size_nm)
    assert result.angle_bulk_deg <= 2
    assert result.angle_deg <= 3


@each_pixel_size
def test_crystallinity_follows_the_order_of_the_bonds(
    scored: Scored, pixel_size_nm: float
) -> None:
    # A pristine sheet is all of one order: there is nothing to rank.
    assert scored("late", pixel_size_nm).order_rho >= 0.7


def test_the_sublattices_are_60_degrees_apart_in_angle(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32]
) -> None:
    atoms = analyse(pristine).atoms
    direction = np.exp(3j * atoms.angle_rad[~atoms.edge].astype(np.float64))
    # Twice the threefold angle is the same for both: one clean lattice.
    assert abs((direction**2).mean()) > 0.95
    assert abs(direction.mean()) < 0.2


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_everything_turns_with_the_frame(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32], quarters: int
) -> None:
    straight, turned = analyse(pristine), analyse(np.rot90(pristine, quarters).copy())
    here = rowcol(straight) - 255.5
    for _ in range(quarters):  # counter-clockwise: what was right is up
        here = np.stack([-here[:, 1], here[:, 0]], axis=1)
    pairs = match(rowcol(turned), here + 255.5, 2.0)
    assert len(pairs.found) > 0.99 * len(here)
    assert pairs.distance.mean() < 0.4
    whole = ~straight.atoms.edge[pairs.true]
    found, true = pairs.found[whole], pairs.true[whole]
    change = turned.atoms.angle_rad[found] - straight.atoms.angle_rad[true]
    period = straight.model.angle_period_rad
    off = change.astype(np.float64) - quarters * math.pi / 2
    off -= period * np.round(off / period)
    assert np.nanmean(np.abs(off)) < math.radians(0.5)
    for name, latent in straight.atoms.latents.items():
        after = turned.atoms.latents[name]
        spread = max(float(latent.std()), 0.05)
        assert np.abs(after[found] - latent[true]).mean() < 0.5 * spread, name


def test_a_frame_alone_and_after_others_gives_the_same_bytes(
    analyser: Analyser, make_frame: MakeFrame, pristine: NDArray[np.float32]
) -> None:
    alone = Analyser(analyser.model).analyse(make_frame(pristine), History())
    busy = Analyser(analyser.model)
    for other in (pristine[::-1] * 100, pristine[:100, :333], pristine * np.nan):
        busy.analyse(make_frame(np.ascontiguousarray(other)), History())
    later = busy.analyse(make_frame(pristine, seq=3), History(time_s=9))
    assert fingerprint(later) == fingerprint(alone)


def test_the_frame_itself_is_left_alone(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32]
) -> None:
    before = pristine.copy()
    analyse(pristine)
    np.testing.assert_array_equal(pristine, before)
