import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import KDTree

from streamer.simulator.sheet import (
    BOND_NM,
    CARBON,
    SILICON,
    Growth,
    Sheet,
    find_bonds,
    grow_sheet,
    honeycomb,
)

ATOMS_PER_NM2 = 4 / (3 * math.sqrt(3) * BOND_NM**2)  # two in a cell of √3 x √3 bonds
ANGLES = [0.0, 0.1, math.pi / 6, math.pi / 4, 2.0, -1.3]


def inner(xy: NDArray[np.float64], half_nm: float) -> NDArray[np.bool_]:
    return np.asarray((np.abs(xy) < half_nm).all(axis=1))


def test_graphene_has_38_atoms_in_a_square_nanometre() -> None:
    assert pytest.approx(38.2, abs=0.05) == ATOMS_PER_NM2


@pytest.mark.parametrize("angle", ANGLES)
def test_each_site_has_three_neighbours_at_one_bond(angle: float) -> None:
    sites = honeycomb(4.0, angle)
    distance, _ = KDTree(sites).query(sites[inner(sites, 1.8)], k=5)
    np.testing.assert_allclose(distance[:, 1:4], BOND_NM, atol=1e-9)
    np.testing.assert_allclose(distance[:, 4], BOND_NM * math.sqrt(3), atol=1e-9)


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("size_nm", [0.5, 3.0, 10.0])
def test_sites_fill_the_square_to_its_corners(size_nm: float, angle: float) -> None:
    sites = honeycomb(size_nm, angle)
    axis = np.linspace(-0.5, 0.5, 41) * (size_nm - 2 * BOND_NM)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    farthest = KDTree(sites).query(points)[0].max()
    assert farthest < BOND_NM * 1.001  # the middle of a hexagon
    assert (np.abs(sites) < size_nm / 2).all()


@pytest.mark.parametrize("angle", ANGLES)
def test_density_is_that_of_graphene(angle: float) -> None:
    count = np.hypot(*honeycomb(12.0, angle).T)
    assert (count < 6).sum() == pytest.approx(ATOMS_PER_NM2 * math.pi * 36, rel=0.005)


@pytest.mark.parametrize("angle", ANGLES)
def test_the_lattice_turns_counter_clockwise_on_the_screen(angle: float) -> None:
    straight, turned = honeycomb(3.0, 0.0), honeycomb(6.0, angle)
    right, up = straight[:, 0], -straight[:, 1]
    where = (right + 1j * up) * np.exp(1j * angle)
    expected = np.stack([where.real, -where.imag], axis=1)
    assert KDTree(turned).query(expected)[0].max() < 1e-9


def test_a_third_of_the_bonds_of_an_unturned_lattice_lies_along_y() -> None:
    sites = honeycomb(6.0, 0.0)
    pairs = KDTree(sites).query_pairs(0.15, output_type="ndarray")
    along = sites[pairs[:, 1]] - sites[pairs[:, 0]]
    upright = np.abs(along[:, 0]) < 1e-9
    assert upright.mean() == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize(
    ("species", "distance_nm", "bonded"),
    [
        ((CARBON, CARBON), 0.142, True),
        ((CARBON, CARBON), 0.189, True),
        ((CARBON, CARBON), 0.191, False),
        ((CARBON, SILICON), 0.191, True),
        ((SILICON, CARBON), 0.214, True),
        ((SILICON, CARBON), 0.216, False),
        ((SILICON, SILICON), 0.214, True),
    ],
)
def test_a_bond_reaches_as_far_as_its_species(
    species: tuple[int, int], distance_nm: float, bonded: bool
) -> None:
    xy = np.array([[1.0, 1.0], [1.0, 1.0 + distance_nm]])
    sheet = Sheet(xy, np.array(species, np.uint8), np.zeros(2, np.int64), 2.0)
    bonds = find_bonds(sheet)
    assert len(bonds.pairs) == bonded
    assert bonds.coordination.tolist() == [bonded, bonded]


def test_no_atoms_have_no_bonds() -> None:
    nothing = Sheet(np.empty((0, 2)), np.empty(0, np.uint8), np.empty(0, np.int64), 2.0)
    bonds = find_bonds(nothing)
    assert len(bonds.pairs) == len(bonds.coordination) == 0


def test_a_pristine_sheet_is_whole_in_its_field() -> None:
    growth = Growth(field_nm=6.0, holes_per_nm2=0)
    sheet = grow_sheet(growth, np.random.default_rng(1))
    inside = ((sheet.xy_nm > 0) & (sheet.xy_nm < 6.0)).all(axis=1)
    carbon_bonds = find_bonds(
        Sheet(sheet.xy_nm, np.zeros_like(sheet.species), sheet.fragment, 6.0)
    )
    assert set(carbon_bonds.coordination[inside]) == {3}
    assert inside.sum() == pytest.approx(ATOMS_PER_NM2 * 36, rel=0.02)


def test_silicon_is_as_frequent_as_asked() -> None:
    growth = Growth(field_nm=4.0, silicon_per_nm2=1.0, holes_per_nm2=0)
    counts = [
        (grow_sheet(growth, np.random.default_rng(seed)).species == SILICON).sum()
        for seed in range(60)
    ]
    expected = 1.0 * 6.0**2  # field and margins
    assert np.mean(counts) == pytest.approx(expected, abs=4 * math.sqrt(expected / 60))


def test_more_silicon_than_sites_fills_every_site() -> None:
    growth = Growth(field_nm=1.0, silicon_per_nm2=1000.0, holes_per_nm2=0)
    sheet = grow_sheet(growth, np.random.default_rng(1))
    assert (sheet.species == SILICON).all()


def test_holes_take_atoms_away_and_leave_the_rest() -> None:
    growth = Growth(field_nm=6.0, silicon_per_nm2=0, holes_per_nm2=0.1)
    sheet = grow_sheet(growth, np.random.default_rng(1))
    axis = np.linspace(0.2, 5.8, 60)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    to_atom = KDTree(sheet.xy_nm).query(points)[0]
    low, high = growth.hole_radius_nm
    assert low - BOND_NM < to_atom.max() < high + BOND_NM
    assert np.median(to_atom) < BOND_NM


def test_grains_are_connected_patches_that_cover_the_sheet() -> None:
    growth = Growth(field_nm=8.0, holes_per_nm2=0, fragments=5)
    sheet = grow_sheet(growth, np.random.default_rng(1))
    assert set(sheet.fragment) == set(range(5))
    pairs = find_bonds(sheet).pairs
    crossing = sheet.fragment[pairs[:, 0]] != sheet.fragment[pairs[:, 1]]
    assert 0 < crossing.mean() < 0.1


def test_the_same_seed_grows_the_same_sheet() -> None:
    one, same, other = (
        grow_sheet(Growth(field_nm=3.0), np.random.default_rng(seed))
        for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(one.xy_nm, same.xy_nm)
    np.testing.assert_array_equal(one.species, same.species)
    assert one.xy_nm.shape != other.xy_nm.shape or (one.xy_nm != other.xy_nm).any()


@pytest.mark.parametrize("orientation_deg", [-25.9, 0.0, 12.0, 44.0])
def test_a_sheet_lies_as_it_is_asked_to(orientation_deg: float) -> None:
    growth = Growth(field_nm=3.0, orientation_deg=orientation_deg)
    sheet = grow_sheet(growth, np.random.default_rng(1))
    first, second = sheet.xy_nm[find_bonds(sheet).pairs].transpose(1, 0, 2)
    right, down = (second - first).T
    told = np.degrees(np.arctan2(-down, right))
    off = (told - orientation_deg + 30) % 60 - 30
    np.testing.assert_allclose(off, 0, atol=1e-6)
