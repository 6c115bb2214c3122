"""What the encoder sees of an atom: rings about it, or a window of whole pixels."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.describe import Harmonics, Windows
from inference.harmonics import Rings
from inference.resample import Grid
from inference.segment import Maps

SHAPE = (80, 100)
RINGS = Rings((0.142, 0.246), 0.03, (3, 6), 0.04)


def maps(seed: int = 0) -> Maps:
    carbon, silicon = np.random.default_rng(seed).random((2, *SHAPE), np.float32) / 2
    return Maps(carbon, silicon, Grid(SHAPE, SHAPE))


def test_a_window_is_the_probability_of_any_atom_as_the_paper_cut_it() -> None:
    seen = maps()
    described = Windows(24, 0.02, 0.02).describe(seen, np.array([[40.4, 50.6]]))
    both = seen.carbon + seen.silicon
    np.testing.assert_array_equal(described.rows[0], both[28:52, 39:63])
    assert not described.edge.any()


def test_windows_of_another_pixel_size_show_the_same_place() -> None:
    spot = np.zeros(SHAPE, np.float32)
    spot[40:42, 60:62] = 1
    seen = Maps(spot, np.zeros_like(spot), Grid(SHAPE, SHAPE))
    described = Windows(9, 0.02, 0.04).describe(seen, np.array([[40.5, 60.5]]))
    assert np.unravel_index(described.rows[0].argmax(), (9, 9)) == (4, 4)


@pytest.mark.parametrize("pixel_size_nm", [0.02, 0.04, 0.03])
def test_rings_are_drawn_about_the_atom_at_any_pixel_size(pixel_size_nm: float) -> None:
    rows, cols = np.indices(SHAPE)
    where = np.array([[40.3, 50.8]])
    blob = np.exp(-0.5 * ((rows - 40.3) ** 2 + (cols - 50.8) ** 2) / 5**2)
    seen = Maps(blob.astype(np.float32), np.zeros(SHAPE, np.float32), _same())
    rings = Rings((0.142, 0.246), 0.03, (3, 6), pixel_size_nm)
    described = Harmonics(rings, 0.02).describe(seen, where)
    harmonics = described.rows.view(np.complex64)[0]
    for (ring, order), value in zip(rings.features, harmonics, strict=True):
        if order == 0:
            radius_px = rings.radii_nm[ring] / 0.02
            height = np.exp(-0.5 * (radius_px / 5) ** 2)
            assert value.real == pytest.approx(height, abs=0.06)
        else:
            assert abs(value) < 0.03


def _same() -> Grid:
    return Grid(SHAPE, SHAPE)


@pytest.mark.parametrize(
    ("where", "edge"), [((40.0, 50.0), False), ((5.0, 50.0), True), ((40, 97), True)]
)
def test_an_atom_near_the_border_is_kept_and_flagged(
    where: tuple[float, float], edge: bool
) -> None:
    positions: NDArray[np.float64] = np.array([where])
    for describer in (Windows(24, 0.02, 0.02), Harmonics(RINGS, 0.02)):
        described = describer.describe(maps(), positions)
        assert len(described.rows) == 1
        assert described.edge.tolist() == [edge]


def test_no_atoms_give_no_rows() -> None:
    for describer in (Windows(24, 0.02, 0.02), Harmonics(RINGS, 0.02)):
        assert len(describer.describe(maps(), np.empty((0, 2))).rows) == 0


def test_each_of_many_atoms_gets_its_own_row() -> None:
    rng = np.random.default_rng(3)
    where = rng.uniform(0, 1, (50, 2)) * (np.array(SHAPE) - 1)
    together = Harmonics(RINGS, 0.02).describe(maps(), where)
    for one in (0, 13, 49):
        alone = Harmonics(RINGS, 0.02).describe(maps(), where[[one]])
        np.testing.assert_allclose(alone.rows[0], together.rows[one], atol=1e-5)


def test_the_number_of_threads_does_not_change_a_bit() -> None:
    where = np.random.default_rng(4).uniform(10, 70, (300, 2))
    one, three = (
        Harmonics(RINGS, 0.02, threads).describe(maps(), where) for threads in (1, 3)
    )
    np.testing.assert_array_equal(one.rows, three.rows)
