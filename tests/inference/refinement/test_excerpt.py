"""What is found on a part of a frame holds for the whole."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.refinement.canvas import MARGIN_PX
from inference.refinement.excerpt import AROUND_PX, excerpt, with_shared
from inference.refinement.probe import Probe
from inference.refinement.refine import COARSE_NM, Fate, Refined, refine
from inference.refinement.situation import Situation, View, first_guess, view_of
from tests.inference.refinement.conftest import Scene, Stage

ROWS = np.linspace(-1, 1, 1024, dtype=np.float32)[:, None]


@pytest.fixture(scope="module")
def large(stage: Stage) -> Scene:
    """So large that an excerpt of it is a quarter."""
    return stage.scene(1.0, side=1024, displaced_pm=12.0)


def refined(scene: Scene, image: NDArray[np.float32]) -> Refined:
    return refine(image, scene.sites, scene.species, scene.score, scene.pixel_size_nm)


def start(scene: Scene) -> tuple[View, Situation]:
    view = view_of(scene.image, scene.pixel_size_nm, COARSE_NM, scene.sites)
    return view, first_guess(view, scene.sites, scene.species == 1, Probe())


@pytest.mark.parametrize(
    "light",
    [1 - 0.3 * ROWS, 1 + 0.3 * ROWS, np.where(ROWS < 0, np.float32(0.85), 1)],
    ids=["brighter above", "brighter below", "darker half"],
)
def test_uneven_light_changes_neither_probe_nor_error_bars(
    large: Scene, light: NDArray[np.float32]
) -> None:
    found = refined(large, large.image * light)
    chosen = large.whole & (found.fate == Fate.REFINED)
    error = np.abs(found.rowcol - large.true)[chosen]
    assert 0.66 < np.mean(error < found.sigma[chosen]) < 0.72
    bound = np.sqrt(large.bound[chosen].sum(axis=1).mean())
    assert np.sqrt(np.square(error).sum(axis=1).mean()) < 1.06 * bound
    assert np.nanmedian(found.amplitude) == pytest.approx(1, abs=0.03)
    assert (found.fate == Fate.PRUNED).sum() <= 1


def test_where_most_atoms_are_seen_but_hidden_the_rest_is_fitted(large: Scene) -> None:
    rng = np.random.default_rng(3)
    hidden = large.image.copy()
    hidden[300:640] += 50 * large.image.mean()
    # The network takes texture for atoms there, many more than elsewhere.
    false = rng.uniform([310, 10], [630, 1010], (1500, 2))
    found = refine(
        hidden,
        np.concatenate([large.sites, false]),
        np.concatenate([large.species, np.zeros(1500, np.uint8)]),
        np.ones(len(large.sites) + 1500, np.float32),
        large.pixel_size_nm,
    )
    seen = large.whole & ((large.true[:, 0] < 280) | (large.true[:, 0] > 660))
    fate = found.fate[: len(large.sites)]
    assert np.mean(fate[seen] == Fate.REFINED) > 0.98


def test_an_excerpt_counts_its_own_rows_and_knows_the_atoms_around(
    large: Scene,
) -> None:
    view, now = start(large)
    part, there = excerpt(view, now, 2**16)
    counted = np.flatnonzero(part.usable.any(axis=1))
    around = MARGIN_PX + AROUND_PX
    assert len(counted) == pytest.approx(2**16 / 512, abs=4)
    assert len(part.usable) - len(counted) in (around + MARGIN_PX, 2 * around)
    # Each atom lies where it lies in the whole frame, and some lie beyond the rows.
    starts = (view.canvas.image == part.canvas.image[0]).all(axis=1)
    shifted = there.atoms.rowcol + np.array([np.flatnonzero(starts)[-1], 0])
    known = {tuple(where) for where in now.atoms.rowcol.round(6)}
    assert {tuple(where) for where in shifted.round(6)} <= known
    outside = np.abs(there.atoms.rowcol[:, 0] - counted.mean()) - len(counted) / 2
    assert AROUND_PX / 2 < outside.max() <= AROUND_PX + 1


@pytest.mark.parametrize("slope", [-0.3, 0.3], ids=["above", "below"])
def test_an_excerpt_is_as_bright_as_its_frame(large: Scene, slope: float) -> None:
    light = (1 + slope * ROWS).astype(np.float32)
    # More atoms in the upper eighth: the fullest rows are not those to be taken.
    crowd = np.concatenate([large.sites, large.sites[large.sites[:, 0] < 128][::12]])
    view = view_of(large.image * light, large.pixel_size_nm, COARSE_NM, crowd)
    now = first_guess(view, crowd, np.zeros(len(crowd), bool), Probe())
    part, _ = excerpt(view, now, 2**16)
    grey = [one.canvas.image[one.usable > 0].mean() for one in (part, view)]
    assert grey[0] == pytest.approx(grey[1], rel=0.04)


def test_a_small_frame_is_its_own_excerpt(large: Scene) -> None:
    view, now = start(large)
    assert excerpt(view, now, view.usable.size) == (view, now)


def test_all_atoms_become_as_much_brighter_as_those_of_the_excerpt(
    large: Scene,
) -> None:
    view, now = start(large)
    _, there = excerpt(view, now, 2**16)
    after = Situation(
        there.atoms, there.optics, there.noise, 1.25 * there.carbon, there.clouds
    )
    shared = with_shared(now, there, after)
    np.testing.assert_allclose(shared.atoms.amplitude, 1.25 * now.atoms.amplitude)
    assert shared.carbon == pytest.approx(1.25 * now.carbon)
