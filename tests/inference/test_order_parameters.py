import math

import numpy as np
import pytest

from inference.order_parameters import order_parameters
from streamer.simulator.sheet import Sheet, honeycomb
from streamer.simulator.truth import local_order


@pytest.mark.parametrize("turn", [0.0, 0.3, 1.9])
def test_a_whole_sheet_is_perfectly_ordered_and_turned_as_it_is(turn: float) -> None:
    xy = honeycomb(4.0, turn)
    order = order_parameters(xy[:, ::-1])
    middle = np.abs(xy).max(axis=1) < 1.3
    np.testing.assert_allclose(order.psi3[middle], 1, atol=1e-5)
    np.testing.assert_allclose(order.psi6[middle], 1, atol=1e-5)
    nobody = np.zeros(len(xy), np.uint8)
    true = local_order(Sheet(xy, nobody, nobody.astype(np.int64), 4.0)).angle_rad
    off = np.exp(3j * (order.angle_rad - true))[middle]
    np.testing.assert_allclose(off, 1, atol=1e-5)


def test_what_a_vacancy_takes_from_its_neighbours() -> None:
    xy = honeycomb(4.0, 0.2)
    at = np.argmin(np.hypot(*xy.T))
    near = np.argsort(np.hypot(*(xy - xy[at]).T))[1:4]
    order = order_parameters(xy[:, ::-1])
    without = order_parameters(np.delete(xy, at, axis=0)[:, ::-1])
    neighbour = near[0] - (near[0] > at)
    assert order.psi3[near[0]] == pytest.approx(1, abs=1e-5)
    # Two bonds of three are left, and both count fully: e^{3iθ} is the same for them.
    assert without.psi3[neighbour] == pytest.approx(2 / 3, abs=1e-5)
    # Of six second neighbours of a second neighbour one is missing.
    second = np.argsort(np.hypot(*(xy - xy[at]).T))[4]
    assert without.psi6[second - (second > at)] == pytest.approx(5 / 6, abs=1e-5)


def test_order_around_is_whole_in_a_sheet_and_less_near_a_vacancy() -> None:
    sheet = honeycomb(3.4, 0.0)
    sheet -= sheet[np.argmin(np.hypot(*sheet.T))]
    distance = np.hypot(*sheet.T)
    centre = distance < 0.01
    near = (distance < 0.2) & ~centre
    assert order_parameters(sheet).order[near] == pytest.approx(1.0)
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    assert order_parameters(sheet @ turn).order[near] == pytest.approx(1.0)
    around = np.hypot(*(sheet[near][0] - sheet[~centre]).T) < 0.5
    three_short_of_a_third = around.sum() - 3 / 3
    assert order_parameters(sheet[~centre]).order[near[~centre]] == pytest.approx(
        three_short_of_a_third / around.sum()
    )


def test_atoms_too_many_take_from_order_as_atoms_too_few_do() -> None:
    turn = np.arange(4) * np.pi / 2
    around = 0.142 * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    order = order_parameters(np.concatenate([[[0.0, 0.0]], around]))
    # Four bonds at right angles cancel about a threefold axis.
    assert order.psi3[0] == pytest.approx(0, abs=1e-6)
    order = order_parameters(np.concatenate([[[0.0, 0.0]], around, [[0.0, 0.1]]]))
    assert order.psi3[0] == pytest.approx(1 / 5, abs=1e-6)


def test_a_lonely_atom_has_no_orientation() -> None:
    order = order_parameters(np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert np.isnan(order.angle_rad).all()
    assert order.psi3.tolist() == order.psi6.tolist() == [0, 0]


def test_a_neighbour_above_is_at_ninety_degrees() -> None:
    order = order_parameters(np.array([[0.0, 0.0], [-0.142, 0.0]]))
    period = 2 * math.pi / 3
    assert (order.angle_rad[0] - math.pi / 2) % period == pytest.approx(0, abs=1e-5)
