import math

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.simulator.sheet import Sheet, honeycomb
from streamer.simulator.truth import local_order, truth_of

PERIOD = 2 * math.pi / 3


def sheet_of(xy: NDArray[np.float64]) -> Sheet:
    count = len(xy)
    return Sheet(xy, np.zeros(count, np.uint8), np.zeros(count, np.int64), 1.0)


def difference(one: NDArray[np.floating], other: float) -> NDArray[np.float64]:
    """Angles apart, modulo 120°, in ± 60°."""
    apart = np.asarray(one, np.float64) - other
    return apart - PERIOD * np.round(apart / PERIOD)


def nearest(xy: NDArray[np.float64], point: tuple[float, float]) -> int:
    return int(np.hypot(*(xy - point).T).argmin())


@pytest.mark.parametrize("angle", [0.0, 0.2, 1.0, -2.5])
def test_a_whole_sheet_is_perfectly_crystalline(angle: float) -> None:
    xy = honeycomb(4.0, angle)
    order = local_order(sheet_of(xy))
    whole = (np.abs(xy) < 2.0 - 0.5 - 0.15).all(axis=1)
    assert set(order.coordination[whole]) == {3}
    np.testing.assert_allclose(order.crystallinity[whole], 1.0, atol=1e-9)


def test_at_an_edge_order_fades() -> None:
    xy = honeycomb(4.0, 0.0)
    order = local_order(sheet_of(xy)).crystallinity
    steps = [order[nearest(xy, (depth, 0.0))] for depth in (1.97, 1.7, 1.5, 1.2)]
    assert steps == sorted(steps)
    assert 0.3 < steps[0] < 0.6
    assert steps[-1] == pytest.approx(1)
    assert order.max() <= 1


def test_two_disordered_atoms_in_thirty_one_make_the_order_around_a_vacancy() -> None:
    # The missing atom is one, and its three neighbours lose a third of their bonds.
    xy = honeycomb(4.0, 0.3)
    xy = np.delete(xy, nearest(xy, (0.0, 0.0)), axis=0)
    order = local_order(sheet_of(xy))
    around = np.argsort(np.hypot(*xy.T))[:3]
    assert order.coordination[around].tolist() == [2, 2, 2]
    np.testing.assert_allclose(order.crystallinity[around], 29 / 31, atol=1e-9)


def test_more_than_three_bonds_are_no_more_order() -> None:
    # A hexagon of 60° bonds with an atom in the middle: seven perfect sites, of 31.
    angle = np.arange(6) * math.pi / 3
    ring = 0.142 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    order = local_order(sheet_of(np.concatenate([[[0.0, 0.0]], ring])))
    assert order.coordination.tolist() == [6] + [3] * 6
    np.testing.assert_allclose(order.crystallinity, 7 / 31)


def test_grains_are_ordered_inside_and_disordered_where_they_meet() -> None:
    left, right = honeycomb(8.0, 0.0), honeycomb(8.0, math.radians(25))
    xy = np.concatenate([left[left[:, 0] < -0.05], right[right[:, 0] > 0.05]])
    order = local_order(sheet_of(xy)).crystallinity
    inner = np.abs(xy[:, 1]) < 3
    near, far = np.abs(xy[:, 0]) < 0.2, (abs(abs(xy[:, 0]) - 2) < 1)
    assert order[inner & near].mean() < 0.6
    np.testing.assert_allclose(order[inner & far], 1, atol=1e-9)


@pytest.mark.parametrize("turn_deg", [0, 7, 33, 60, 118, -45, 250])
def test_sites_turn_with_the_lattice_and_the_sublattices_are_60_degrees_apart(
    turn_deg: float,
) -> None:
    turn = math.radians(turn_deg)
    xy = honeycomb(3.0, turn)
    inner = (np.abs(xy) < 1.2).all(axis=1)
    angle = local_order(sheet_of(xy)).angle_rad[inner]
    # Unturned, one sublattice has a bond straight up the screen, the other down.
    up = np.abs(difference(angle, math.pi / 2 + turn)) < 1e-9
    down = np.abs(difference(angle, -math.pi / 2 + turn)) < 1e-9
    assert (up ^ down).all()
    assert up.mean() == pytest.approx(0.5, abs=0.05)


def test_the_angle_of_a_bond_is_counter_clockwise_with_y_downward() -> None:
    # The second atom lies to the right of and above the first, at 30°.
    along = 0.142 * np.array([math.cos(math.pi / 6), -math.sin(math.pi / 6)])
    order = local_order(sheet_of(np.stack([np.zeros(2), along])))
    np.testing.assert_allclose(
        difference(order.angle_rad[:1], math.pi / 6), 0, atol=1e-9
    )
    np.testing.assert_allclose(
        difference(order.angle_rad[1:], math.pi / 6 + math.pi), 0, atol=1e-9
    )


@pytest.mark.parametrize("count", [0, 1], ids=["no atoms", "one atom"])
def test_atoms_without_bonds_have_no_order(count: int) -> None:
    order = local_order(sheet_of(np.zeros((count, 2))))
    assert order.coordination.tolist() == order.crystallinity.tolist() == [0] * count


def test_the_truth_is_of_the_atoms_whose_pixel_is_in_the_frame() -> None:
    rowcol = np.array(
        [[-0.51, 3], [-0.5, 3], [9.49, 3], [9.5, 3], [4, 19.49], [4, 19.5], [4, -0.6]]
    )
    sheet = sheet_of(np.arange(14.0).reshape(7, 2))
    hidden = np.arange(7) == 2
    truth = truth_of(sheet, rowcol, (10, 20), hidden)
    np.testing.assert_allclose(truth.row_px, [-0.5, 9.49, 4], rtol=1e-6)
    np.testing.assert_allclose(truth.col_px, [3, 3, 19.49], rtol=1e-6)
    assert truth.hidden.tolist() == [False, True, False]
    assert len(truth) == 3
