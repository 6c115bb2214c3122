"""The path of a frame to its atoms, on frames that no training used."""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.catalogue import DEFAULT
from inference.evaluation.scoring import Score, score
from inference.matching import Matching, match
from inference.model import load_model
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


@dataclass(frozen=True)
class Turned:
    """A frame, the same turned counter-clockwise, and which atoms are the same."""

    straight: Analysis
    turned: Analysis
    pairs: Matching


def turned(
    analyse: Callable[..., Analysis], image: NDArray[np.float32], quarters: int
) -> Turned:
    straight, after = analyse(image), analyse(np.rot90(image, quarters).copy())
    here = rowcol(straight) - 255.5
    for _ in range(quarters):  # counter-clockwise: what was right is up
        here = np.stack([-here[:, 1], here[:, 0]], axis=1)
    return Turned(straight, after, match(rowcol(after), here + 255.5, 2.0))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_everything_turns_with_the_frame(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32], quarters: int
) -> None:
    both = turned(analyse, pristine, quarters)
    before, after, pairs = both.straight.atoms, both.turned.atoms, both.pairs
    assert len(pairs.found) > 0.99 * len(before)
    assert pairs.distance.mean() < 0.4
    whole = ~before.edge[pairs.true]
    found, true = pairs.found[whole], pairs.true[whole]
    change = after.angle_rad[found] - before.angle_rad[true]
    period = both.straight.model.angle_period_rad
    off = change.astype(np.float64) - quarters * math.pi / 2
    off -= period * np.round(off / period)
    assert np.nanmean(np.abs(off)) < math.radians(0.5)
    order = [atoms.latents["crystallinity"] for atoms in (before, after)]
    assert np.abs(order[1][found] - order[0][true]).mean() < 0.02


def test_latents_do_not_turn_with_the_frame(
    analyse: Callable[..., Analysis], stages: Mapping[str, Sheet]
) -> None:
    # Of a late sheet: in a whole one there is only noise for them to tell.
    image = exposed(stages["late"], microscope(), clean=True).image
    both = turned(analyse, image, 1)
    whole = ~both.straight.atoms.edge[both.pairs.true]
    for name, latent in both.straight.atoms.latents.items():
        before = latent[both.pairs.true][whole]
        after = both.turned.atoms.latents[name][both.pairs.found][whole]
        assert np.abs(after - before).mean() < 0.45 * latent.std(), name


def test_a_frame_alone_and_after_others_gives_the_same_bytes(
    analyser: Analyser, make_frame: MakeFrame, pristine: NDArray[np.float32]
) -> None:
    alone = Analyser(analyser.model).analyse(make_frame(pristine), History())
    busy = Analyser(analyser.model)
    for other in (pristine[::-1] * 100, pristine[:100, :333], pristine * np.nan):
        busy.analyse(make_frame(np.ascontiguousarray(other)), History())
    later = busy.analyse(make_frame(pristine, seq=3), History(time_s=9))
    assert fingerprint(later) == fingerprint(alone)


def test_what_runs_at_the_same_time_changes_no_bit(
    make_frame: MakeFrame, stages: Mapping[str, Sheet]
) -> None:
    frame = make_frame(exposed(stages["late"], microscope(dose=0.5)).image)
    model = load_model(DEFAULT, threads=2)
    beside = Analyser(model).analyse(frame, History())
    # Some atoms the fit has added: they are described by themselves.
    assert np.isnan(beside.atoms.row_net_px).any()
    in_turn = Analyser(model, beside=False).analyse(frame, History())
    assert fingerprint(beside) == fingerprint(in_turn)


def test_the_frame_itself_is_left_alone(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32]
) -> None:
    before = pristine.copy()
    analyse(pristine)
    np.testing.assert_array_equal(pristine, before)
