import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import spline_filter

from inference.analyse import Analyser
from inference.evaluation.conditions import NOMINAL, compared, exposed, specimens
from inference.evaluation.equivariance import equivariance_deg, turned_tiles

HALF = 16


def lamp(row: float, col: float) -> NDArray[np.float64]:
    rows, cols = np.indices((80, 90))
    return np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / 18)


@pytest.mark.parametrize("turn_deg", [0, 30, 90, -135])
def test_a_turn_is_counter_clockwise_on_the_screen(turn_deg: float) -> None:
    atom = np.array([[40.3, 41.8]])
    right_of_it = spline_filter(lamp(40.3, 41.8 + 8))
    tile, where = turned_tiles(right_of_it, atom, HALF, math.radians(turn_deg))
    row, col = np.unravel_index(tile.argmax(), tile.shape)
    up, right = where[0, 0] - row, col - where[0, 1]
    assert math.hypot(up, right) == pytest.approx(8, abs=0.8)
    off = math.degrees(math.atan2(up, right)) - turn_deg
    assert (off + 180) % 360 - 180 == pytest.approx(0, abs=5)


def test_unturned_tiles_are_the_map_itself() -> None:
    image = np.random.default_rng(1).random((80, 90))
    atoms = np.array([[30.2, 40.9], [40.7, 50.1], [45.0, 33.5]])
    tiles, where = turned_tiles(spline_filter(image), atoms, HALF, 0.0)
    for atom, here in zip(atoms, where, strict=True):
        corner = np.rint(here - (atom - np.floor(atom))).astype(int) - HALF
        there = np.floor(atom).astype(int) - HALF
        side = 2 * HALF
        np.testing.assert_allclose(
            tiles[corner[0] : corner[0] + side, corner[1] : corner[1] + side],
            image[there[0] : there[0] + side, there[1] : there[1] + side],
            atol=1e-6,
        )


def test_the_shipped_angle_follows_any_turn(analyser: Analyser) -> None:
    ((index, specimen),) = specimens(1001, (0,))
    exposure = exposed(specimen, NOMINAL, 1001, index)
    frame = compared(analyser, exposure)
    rng = np.random.default_rng(1)
    assert equivariance_deg(analyser, exposure.image, frame, rng) < 0.15
