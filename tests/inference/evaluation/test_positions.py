import numpy as np
import pytest
from numpy.typing import NDArray

from inference.evaluation.displaced import (
    DISORDERS,
    Disorder,
    DisplacedScene,
    displaced_scene,
)
from inference.evaluation.positions import measured
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.simulator.microscope import scaled_microscope

RANDOM = DISORDERS[0]
SIZE_PX, PIXEL_NM = 320, 1 / 64


@pytest.fixture(scope="module")
def scene() -> DisplacedScene:
    return displaced_scene(RANDOM, scaled_microscope(SIZE_PX, 5.0, 1.0), seed=7)


def answer(
    rowcol: NDArray[np.float64],
    sigma_nm: float = np.nan,
    net: NDArray[np.float64] | None = None,
) -> Atoms:
    """An analysis with these positions, in pixels."""
    columns = {
        name: np.zeros(len(rowcol), dtype) for name, dtype in FIXED_COLUMNS.items()
    }
    seen = rowcol if net is None else net
    columns["row_px"], columns["col_px"] = rowcol.astype(np.float32).T
    columns["row_net_px"], columns["col_net_px"] = seen.astype(np.float32).T
    columns["x_sigma_nm"][:] = columns["y_sigma_nm"][:] = sigma_nm
    return Atoms.from_columns(columns)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0, 1.2])
def test_slope_is_the_share_of_a_displacement_that_is_reported(
    scene: DisplacedScene, share: float
) -> None:
    reported = scene.sites + share * (scene.true - scene.sites)
    found = measured(answer(reported), scene)
    assert found.slope == pytest.approx(share, abs=1e-4)
    assert found.net_slope == pytest.approx(share, abs=1e-4)
    displaced_pm = 15 * np.sqrt(2)
    assert found.rmsd_pm == pytest.approx(
        abs(1 - share) * displaced_pm, rel=0.05, abs=0.01
    )
    assert found.recall > 0.995


def test_a_shift_of_all_atoms_does_not_change_the_slope(scene: DisplacedScene) -> None:
    shifted = scene.true + np.array([1.0, -0.5])
    assert measured(answer(shifted), scene).slope == pytest.approx(1)


def test_noise_as_large_as_the_bound_is_at_the_bound(scene: DisplacedScene) -> None:
    spread = np.sqrt(scene.bound.clip(0, 10))
    rng = np.random.default_rng(1)
    noisy = scene.true + spread * rng.standard_normal(scene.true.shape)
    found = measured(answer(noisy, net=scene.sites), scene)
    assert found.rmsd_over_bound == pytest.approx(1, abs=0.06)
    assert found.slope == pytest.approx(1, abs=0.05)
    assert found.net_slope == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    ("stated", "expected"), [(1.0, 0.683), (2.0, 0.954), (0.5, 0.383)]
)
def test_error_bars_are_compared_with_errors(
    scene: DisplacedScene, stated: float, expected: float
) -> None:
    rng = np.random.default_rng(2)
    noisy = scene.true + rng.normal(0, 0.6, scene.true.shape)
    found = measured(answer(noisy, stated * 0.6 * PIXEL_NM, net=scene.true), scene)
    assert found.in_one_sigma == pytest.approx(expected, abs=0.03)
    assert found.with_sigma == 1


def test_positions_without_error_bars_have_no_coverage(scene: DisplacedScene) -> None:
    found = measured(answer(scene.true), scene)
    assert found.with_sigma == 0
    assert np.isnan(found.in_one_sigma)


def test_a_bad_fit_does_not_get_rid_of_its_atoms(scene: DisplacedScene) -> None:
    lost = scene.true.copy()
    lost[::2] += 0.09 / PIXEL_NM
    found = measured(answer(lost, net=scene.true), scene)
    assert found.recall > 0.995
    assert found.rmsd_pm == pytest.approx(90, rel=0.05)


def test_an_atom_that_the_network_did_not_see_counts_where_it_was_measured(
    scene: DisplacedScene,
) -> None:
    net = scene.sites.copy()
    net[::3] = np.nan
    found = measured(answer(scene.true, net=net), scene)
    assert found.recall > 0.995
    assert found.slope == pytest.approx(1, abs=1e-4)
    assert found.net_slope == pytest.approx(0, abs=1e-4)


def test_random_displacements_are_as_large_as_they_say() -> None:
    moves = RANDOM.moves_nm(np.zeros((20_000, 2)), np.random.default_rng(1))
    assert moves.std() * 1e3 == pytest.approx(15, rel=0.02)


@pytest.mark.parametrize("period_nm", [4.0, 8.0])
def test_strain_is_as_large_as_it_says(period_nm: float) -> None:
    disorder = Disorder("", strain=0.02, period_nm=period_nm)
    axis = np.linspace(0, 20, 400)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    moves = disorder.moves_nm(grid.reshape(-1, 2), np.random.default_rng(4))
    steps = np.gradient(moves.reshape(*grid.shape), axis[1], axis=(0, 1))
    gradient = np.sqrt(sum((step**2).sum(axis=-1) for step in steps))
    assert gradient.max() == pytest.approx(0.02, rel=0.02)


def test_the_bound_falls_with_the_dose(scene: DisplacedScene) -> None:
    more = displaced_scene(RANDOM, scaled_microscope(SIZE_PX, 5.0, 4.0), seed=7)
    inner = ((scene.true > 20) & (scene.true < SIZE_PX - 20)).all(axis=1)
    ratio = scene.bound[inner].mean() / more.bound[inner].mean()
    assert ratio == pytest.approx(4, rel=0.15)
