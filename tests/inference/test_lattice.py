"""The lattice constant of a frame, and its uncertainty, on drawn known answers."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.bonds import bonds_of
from inference.honeycomb import Honeycomb, honeycomb_of
from inference.lattice import (
    BOND_NM,
    CONSTANT_NM,
    Lattice,
    lattice_at_rest,
    lattice_of,
)
from inference.stars import stars_of
from streamer.analysis import Analysis, Flag
from streamer.frame import Frame
from streamer.simulator.microscope import scaled_microscope
from streamer.simulator.movie import expose
from streamer.simulator.sheet import CARBON, Sheet, honeycomb

PIXEL_NM = 1 / 64
SIDE_PX = 384
SIDE_NM = SIDE_PX * PIXEL_NM

type MakeFrame = Callable[..., Frame]
type LatticeAt = Callable[[NDArray[np.float64]], Lattice]


def sheet_xy(strain: float = 0.0) -> NDArray[np.float64]:
    xy = (1 + strain) * honeycomb(1.5 * SIDE_NM, 0.3) + SIDE_NM / 2
    inside = ((xy > 0) & (xy < SIDE_NM)).all(axis=1)
    return np.asarray(xy[inside])


def mean_lattice(xy_nm: NDArray[np.float64]) -> Lattice:
    rowcol = xy_nm[:, ::-1] / PIXEL_NM - 0.5
    return lattice_of(honeycomb_of(rowcol, (SIDE_PX, SIDE_PX)), PIXEL_NM)


def rest_lattice(xy_nm: NDArray[np.float64]) -> Lattice:
    return lattice_at_rest(stars_of(bonds_of(xy_nm), xy_nm))


either_way = pytest.mark.parametrize("lattice_at", [mean_lattice, rest_lattice])


def image_of(strain: float, dose: float, seed: int) -> NDArray[np.float32]:
    xy = sheet_xy(strain)
    sheet = Sheet(
        xy, np.full(len(xy), CARBON, np.uint8), np.zeros(len(xy), int), SIDE_NM
    )
    setting = scaled_microscope(SIDE_PX, SIDE_NM, dose)
    return expose(sheet, [], setting, 0, np.random.default_rng(seed)).image


@either_way
def test_it_is_the_side_of_the_hexagonal_cell(lattice_at: LatticeAt) -> None:
    found = lattice_at(sheet_xy())
    assert pytest.approx(0.24595, abs=1e-5) == CONSTANT_NM
    assert found.constant_nm == pytest.approx(CONSTANT_NM, abs=1e-6)
    assert found.scale == pytest.approx(1, abs=1e-5)
    assert found.sigma_nm < 1e-6


@pytest.mark.parametrize("sd_nm", [0.003, 0.01, 0.02])
def test_noise_hardly_changes_the_mean_bond_and_its_uncertainty_holds(
    sd_nm: float,
) -> None:
    rng = np.random.default_rng(1)
    xy = sheet_xy()
    found = [mean_lattice(xy + rng.normal(0, sd_nm, xy.shape)) for _ in range(40)]
    # What is left of the bias is (noise / bond)² / 6; single bonds have six times that.
    bias = (sd_nm / BOND_NM) ** 2 / 6
    assert_right(found, bias, 0.002)


@pytest.mark.parametrize("sd_nm", [0.003, 0.01, 0.02])
def test_noise_of_what_is_measured_does_not_change_the_bond_at_rest(
    sd_nm: float,
) -> None:
    rng = np.random.default_rng(1)
    xy = sheet_xy()
    seen = bonds_of(xy + rng.normal(0, 0.005, xy.shape))
    found = [
        lattice_at_rest(stars_of(seen, xy + rng.normal(0, sd_nm, xy.shape)))
        for _ in range(40)
    ]
    assert_right(found, 0.0, 0.0003)


def assert_right(found: list[Lattice], bias: float, within: float) -> None:
    off = np.array([each.constant_nm / CONSTANT_NM - 1 for each in found])
    sigma = np.array([each.sigma_nm / CONSTANT_NM for each in found])
    assert abs(off.mean() - bias) < within
    # An atom's noise shortens the stars on one side as it lengthens those on the other:
    # atoms are not independent, and the mean is better than it says.
    assert 0.2 < off.std() / sigma.mean() < 1.0


@either_way
def test_edges_and_vacancies_do_not_matter(lattice_at: LatticeAt) -> None:
    xy = sheet_xy()
    xy = xy[np.random.default_rng(1).random(len(xy)) > 0.08]
    assert lattice_at(xy).constant_nm == pytest.approx(CONSTANT_NM, rel=1e-5)


@either_way
def test_atoms_with_long_bonds_like_those_of_silicon_do_not_matter(
    lattice_at: LatticeAt,
) -> None:
    xy = sheet_xy()
    for silicon in range(30, len(xy), 60):
        away = xy - xy[silicon]
        distance = np.hypot(*away.T)
        around = (distance > 0) & (distance < 1.2 * BOND_NM)
        xy[around] += 0.03 * away[around] / distance[around, None]
    xy += np.random.default_rng(1).normal(0, 0.002, xy.shape)
    found = lattice_at(xy)
    assert found.constant_nm == pytest.approx(CONSTANT_NM, rel=0.002)
    assert found.sigma_nm < 4e-4 * CONSTANT_NM


def test_of_atoms_of_which_none_has_its_three_neighbours_there_is_no_uncertainty() -> (
    None
):
    rowcol = np.array([[0.0, 10 * number] for number in range(8)])
    found: Honeycomb = honeycomb_of(rowcol, (100, 100))
    assert not found.whole.any()
    assert found.bond == pytest.approx(10, abs=5)
    assert math.isnan(found.bond_sigma)


@pytest.fixture(scope="module")
def analysed(
    analyser: Analyser, make_frame: MakeFrame
) -> Callable[[NDArray[np.float32]], Analysis]:
    quick = Analyser(analyser.model, refine=False)

    def analysed(image: NDArray[np.float32]) -> Analysis:
        return quick.analyse(make_frame(image, pixel_size_nm=PIXEL_NM), History())

    return analysed


@pytest.mark.parametrize("strain", [-0.02, 0.0, 0.01, 0.03])
@pytest.mark.parametrize("dose", [0.25, 1.0])
def test_a_strained_sheet_shows_its_strain(
    analysed: Callable[[NDArray[np.float32]], Analysis], strain: float, dose: float
) -> None:
    summary = analysed(image_of(strain, dose, 1)).summary
    expected = (1 + strain) * CONSTANT_NM
    assert summary.lattice_constant_nm == pytest.approx(expected, rel=0.003)
    assert 2e-5 < summary.lattice_constant_sigma_nm < 5e-4


def test_noise_has_no_lattice_constant_and_all_its_atoms_are_counted(
    analysed: Callable[[NDArray[np.float32]], Analysis],
) -> None:
    noise = np.random.default_rng(1).poisson(3, (SIDE_PX, SIDE_PX)).astype(np.float32)
    found = analysed(noise)
    assert math.isnan(found.summary.lattice_constant_nm)
    assert math.isnan(found.summary.lattice_constant_sigma_nm)
    for each in found.summary.histograms.values():
        assert each.atoms == len(found.atoms)


def test_a_frame_and_one_without_atoms_have_the_same_bins(
    analysed: Callable[[NDArray[np.float32]], Analysis],
) -> None:
    full = analysed(image_of(0.0, 1.0, 1))
    blank = analysed(np.ones((SIDE_PX, SIDE_PX), np.float32))
    assert Flag.NO_ATOMS in blank.flags
    assert full.summary.histograms.keys() == blank.summary.histograms.keys()
    for name, each in full.summary.histograms.items():
        assert each + blank.summary.histograms[name] == each
        assert each.atoms == len(full.atoms) == sum(full.summary.counts.values())
        # Hardly an atom of graphene lies beyond the bins.
        assert each.below + each.above <= 0.01 * each.atoms
