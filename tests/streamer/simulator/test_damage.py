import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import KDTree

from streamer.simulator.damage import (
    MERGE_NM,
    Damage,
    _merge_close,
    fragment_turns,
    irradiate,
    relax,
)
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
from streamer.simulator.truth import local_order

NONE = Damage(0, 0, 0, 0, 0, 0, 0, 0)
STILL = np.zeros(1)


def sheet_of(
    xy: NDArray[np.float64] | list[tuple[float, float]],
    silicon: list[int] | None = None,
) -> Sheet:
    species = np.zeros(len(xy), np.uint8)
    species[silicon or []] = SILICON
    return Sheet(np.array(xy, float), species, np.zeros(len(xy), np.int64), 1.0)


def holed(radius_nm: float, size_nm: float = 6.0) -> Sheet:
    sites = honeycomb(size_nm, 0.4)
    return sheet_of(sites[np.hypot(*sites.T) > radius_nm])


def distance_to_edge(sheet: Sheet, centre_hole_nm: float) -> NDArray[np.float64]:
    """From each Si to the nearest atom of the hole's rim that lacks a bond."""
    bonds = find_bonds(sheet)
    near = np.hypot(*sheet.xy_nm.T) < centre_hole_nm + 0.3
    rim = sheet.xy_nm[near & (bonds.coordination < 3)]
    return np.asarray(KDTree(rim).query(sheet.xy_nm[sheet.species == SILICON])[0])


def test_without_damage_a_whole_sheet_stays_as_it_is() -> None:
    sheet = grow_sheet(
        Growth(field_nm=3, silicon_per_nm2=0, holes_per_nm2=0), np.random.default_rng(1)
    )
    after = irradiate(sheet, NONE, np.zeros(7), np.random.default_rng(1))
    inner = ((sheet.xy_nm > 0) & (sheet.xy_nm < 3)).all(axis=1)
    assert len(after) == len(sheet)
    np.testing.assert_allclose(after.xy_nm[inner], sheet.xy_nm[inner], atol=1e-9)


def test_a_bulk_atom_is_knocked_out_as_seldom_as_asked() -> None:
    sheet = sheet_of(honeycomb(16.0, 0.0))
    damage = replace(NONE, bulk_knockout=0.02)
    after = irradiate(sheet, damage, STILL, np.random.default_rng(1))
    lost = len(sheet) - len(after)
    assert lost == pytest.approx(0.02 * len(sheet), rel=0.3)


@pytest.mark.parametrize(
    ("atoms", "field", "dies"),
    [
        ([(0, 0), (0.142, 0), (-0.142, 0)], "edge_knockout", 0),
        ([(0, 0), (0.142, 0)], "dangling_knockout", 1),
        ([(0, 0), (0.142, 0), (-0.142, 0), (0, 0.142), (0, -0.142)],
         "crowded_knockout", 0),
    ],
    ids=["an atom of an edge", "an atom on one bond", "an atom with four bonds"],
)  # fmt: skip
def test_an_atom_goes_by_the_rate_of_its_bonds(
    atoms: list[tuple[float, float]], field: str, dies: int
) -> None:
    certain = replace(NONE, **{field: 1.0})
    after = irradiate(sheet_of(atoms), certain, STILL, np.random.default_rng(1))
    gone = KDTree(after.xy_nm).query(atoms[dies])[0] > 0.1 if len(after) else True
    assert gone
    kept = irradiate(sheet_of(atoms), NONE, STILL, np.random.default_rng(1))
    assert len(kept) == len(atoms)


def test_an_atom_on_its_own_flies_away() -> None:
    lonely = sheet_of([(0, 0), (0.142, 0), (1, 1), (2, 2)], silicon=[3])
    after = irradiate(lonely, NONE, STILL, np.random.default_rng(1))
    assert len(after) == 2


def test_a_hole_grows_and_the_bulk_lasts() -> None:
    sheet, rng = holed(0.5), np.random.default_rng(1)
    damage = Damage(fragment_turn_rad=0)

    def around_and_away(now: Sheet) -> tuple[int, int]:
        from_hole = np.hypot(*now.xy_nm.T)
        return int((from_hole < 0.9).sum()), int(abs(from_hole - 1.75 < 0.25).sum())

    rim, bulk = around_and_away(sheet)
    for _ in range(15):
        sheet = irradiate(sheet, damage, STILL, rng)
    rim_left, bulk_left = around_and_away(sheet)
    assert rim_left < 0.8 * rim
    assert bulk_left > 0.9 * bulk


def test_silicon_wanders_to_the_hole_and_stays_there() -> None:
    sheet = holed(0.8)
    ring = abs(np.hypot(*sheet.xy_nm.T) - 1.3) < 0.15
    chosen = np.flatnonzero(ring)[::4]
    sheet.species[chosen] = SILICON
    hopping, rng = replace(NONE, silicon_hop=1.0), np.random.default_rng(1)
    start = distance_to_edge(sheet, 0.8)
    for _ in range(12):
        sheet = irradiate(sheet, hopping, STILL, rng)
    end = distance_to_edge(sheet, 0.8)
    assert len(end) == len(chosen)
    assert start.min() > 0.2
    assert np.median(end) < 0.05


def test_the_carbon_that_makes_way_for_silicon_is_safe_in_the_bulk() -> None:
    sheet = holed(0.8)
    bonds = find_bonds(sheet)
    rim = (bonds.coordination < 3) & (np.hypot(*sheet.xy_nm.T) < 1.1)
    beside = bonds.pairs[rim[bonds.pairs].sum(axis=1) == 1]
    silicon = beside[~rim[beside]][0]
    sheet.species[silicon] = SILICON
    fierce = replace(NONE, silicon_hop=1.0, edge_knockout=1.0, dangling_knockout=1.0)
    after = irradiate(sheet, fierce, STILL, np.random.default_rng(1))
    place = sheet.xy_nm[silicon]
    distance, now = KDTree(after.xy_nm).query(place)
    assert distance < 0.05
    assert after.species[now] == CARBON


def test_silicon_is_neither_lost_nor_made_by_hopping() -> None:
    sheet = holed(0.8)
    close = np.flatnonzero(np.abs(np.hypot(*sheet.xy_nm.T) - 1.3) < 0.3)
    sheet.species[close[::2]] = SILICON  # dense enough to get into each other's way
    hopping, rng = replace(NONE, silicon_hop=1.0), np.random.default_rng(1)
    for _ in range(5):
        after = irradiate(sheet, hopping, STILL, rng)
        assert (after.species == SILICON).sum() == len(close[::2])
        before = KDTree(sheet.xy_nm[sheet.species == SILICON])
        moved = before.query(after.xy_nm[after.species == SILICON])[0]
        assert moved.max() < 0.215
        sheet = after


@pytest.mark.parametrize("angle", [0.0, 0.5, 2.0])
def test_a_bond_turns_by_ninety_degrees_about_its_middle(angle: float) -> None:
    along = BOND_NM * np.array([math.cos(angle), math.sin(angle)])
    pair = sheet_of(1.0 + np.array([np.zeros(2), along]))
    rotating = replace(NONE, bond_rotation=1.0)
    after = irradiate(pair, rotating, STILL, np.random.default_rng(1)).xy_nm
    np.testing.assert_allclose(after.mean(axis=0), 1.0 + along / 2)
    assert np.dot(after[1] - after[0], along) == pytest.approx(0, abs=1e-9)
    assert np.linalg.norm(after[1] - after[0]) == pytest.approx(BOND_NM)


@pytest.mark.parametrize(
    ("species", "apart_nm", "settles_nm"),
    [
        ([], 0.16, BOND_NM),
        ([], 0.12, BOND_NM),
        ([0], 0.15, 0.176),
        ([1], 0.20, 0.176),
        ([], 0.20, 0.225),
        ([], 0.30, 0.30),
    ],
    ids=["long", "short", "Si", "long Si", "unbonded", "far"],
)
def test_two_atoms_settle_at_their_natural_distance(
    species: list[int], apart_nm: float, settles_nm: float
) -> None:
    pair = sheet_of([(1.0, 1.0), (1.0, 1.0 + apart_nm)], silicon=species)
    relaxed = relax(pair, sweeps=120)
    distance = np.linalg.norm(np.diff(relaxed.xy_nm, axis=0))
    assert distance == pytest.approx(settles_nm, abs=1e-3)
    np.testing.assert_allclose(relaxed.xy_nm.mean(axis=0), pair.xy_nm.mean(axis=0))


def test_a_displaced_atom_is_drawn_back_to_its_site() -> None:
    sites = honeycomb(4.0, 0.1)
    centre = np.hypot(*sites.T).argmin()
    pushed = sites.copy()
    pushed[centre] += [0.02, -0.01]
    moved = np.hypot(*(relax(sheet_of(pushed), sweeps=200).xy_nm - sites).T)
    assert moved[centre] < 0.3 * np.hypot(0.02, 0.01)


def test_a_vacancy_leaves_the_rest_in_place() -> None:
    sites = honeycomb(4.0, 0.1)
    sites = np.delete(sites, np.hypot(*sites.T).argmin(), axis=0)
    relaxed = relax(sheet_of(sites)).xy_nm
    inner = (np.abs(sites) < 1.5).all(axis=1)
    np.testing.assert_allclose(relaxed[inner], sites[inner], atol=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_two_atoms_come_nearer_than_they_can_be(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sheet = grow_sheet(Growth(field_nm=4.0, silicon_per_nm2=0.5), rng)
    fierce = Damage(bulk_knockout=0.01, bond_rotation=0.1, fragment_turn_rad=0.2)
    for turns in fragment_turns(fierce, 7, 12, rng):
        sheet = irradiate(sheet, fierce, turns, rng)
        nearest = KDTree(sheet.xy_nm).query(sheet.xy_nm, k=2)[0][:, 1]
        assert nearest.min() >= MERGE_NM


@pytest.mark.parametrize("silicon", [0, 1], ids=["Si first", "Si second"])
def test_of_two_atoms_at_one_place_the_silicon_stays(silicon: int) -> None:
    crowd = sheet_of([(0, 0), (0.02, 0), (1, 1)], silicon=[silicon])
    assert _merge_close(crowd).species.tolist() == [SILICON, CARBON]


def test_a_row_of_crowded_atoms_is_thinned_out() -> None:
    crowd = sheet_of([(0.04 * step, 0) for step in range(10)])
    left = np.sort(_merge_close(crowd).xy_nm[:, 0])
    assert len(left) >= 1
    assert (np.diff(left) >= MERGE_NM).all()


def test_a_grain_turns_counter_clockwise_as_a_whole() -> None:
    sheet = sheet_of(honeycomb(3.0, 0.0))
    turn = math.radians(5)
    after = irradiate(sheet, NONE, np.array([turn]), np.random.default_rng(1))
    inner = (np.abs(sheet.xy_nm) < 1).all(axis=1)
    before, now = (local_order(each).angle_rad[inner] for each in (sheet, after))
    period = 2 * math.pi / 3
    change = now - before - period * np.round((now - before) / period)
    np.testing.assert_allclose(change, turn, atol=1e-6)


def test_grains_turn_ever_faster_to_what_the_end_asks_for() -> None:
    turns = fragment_turns(Damage(), 4000, 50, np.random.default_rng(1))
    assert turns.shape == (50, 4000)
    final = turns.sum(axis=0)
    assert final.std() == pytest.approx(math.radians(4), rel=0.05)
    np.testing.assert_allclose(turns[:25].sum(axis=0), final * 0.5**1.5)


def test_a_movie_of_no_frames_turns_nothing() -> None:
    turns = fragment_turns(Damage(), 7, 0, np.random.default_rng(1))
    assert turns.shape == (0, 7)


def test_nothing_is_left_to_be_irradiated() -> None:
    nothing = sheet_of(np.empty((0, 2)))
    after = irradiate(nothing, Damage(), STILL, np.random.default_rng(1))
    assert len(after) == 0
