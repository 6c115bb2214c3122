import math

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.honeycomb import MOST, Honeycomb, honeycomb_of
from streamer.simulator.sheet import honeycomb

SIDE_NM = 8.0
SHAPE = (512, 512)


def in_frame(
    xy_nm: NDArray[np.float64], side_nm: float = SIDE_NM
) -> NDArray[np.float64]:
    """(row, col) in pixels of 1/64 nm, of those within the frame."""
    inside = ((xy_nm > 0) & (xy_nm < side_nm)).all(axis=1)
    return np.asarray(xy_nm[inside][:, ::-1] * 64 - 0.5)


def sheet(side_nm: float = SIDE_NM) -> NDArray[np.float64]:
    return in_frame(honeycomb(side_nm * 1.5, 0.3) + side_nm / 2, side_nm)


def grid(across_nm: float, lean: float) -> NDArray[np.float64]:
    """Rows of atoms, each shifted by `lean` of their distance against the last."""
    i, j = np.meshgrid(np.arange(-80, 80), np.arange(-80, 80))
    height = math.sqrt(1 - lean**2)
    xy = across_nm * np.stack([i + lean * j, height * j], axis=-1).reshape(-1, 2)
    return in_frame(xy + SIDE_NM / 2 + 0.01)


def judged(
    rowcol: NDArray[np.float64], shape: tuple[int, int] = SHAPE
) -> tuple[Honeycomb, float, float]:
    found = honeycomb_of(rowcol, shape)
    return found, found.order, found.whole_share


def test_in_graphene_every_atom_is_whole_and_knows_its_bond() -> None:
    found, order, whole_share = judged(sheet())
    assert (order, whole_share) == (1, 1)
    assert found.bond / 64 == pytest.approx(0.142, abs=1e-6)
    assert 0.8 * len(sheet()) < found.inner.sum() < 0.95 * len(sheet())


@pytest.mark.parametrize("scale", [0.5, 0.8, 1.2, 3.0])
def test_the_scale_does_not_matter(scale: float) -> None:
    found, *shares = judged(sheet() * scale, (round(512 * scale), round(512 * scale)))
    assert shares == [1, 1]
    assert found.bond / 64 == pytest.approx(0.142 * scale)


@pytest.mark.parametrize(
    ("across_nm", "lean"),
    [(0.2, 0.0), (0.3, 0.0), (0.25, 0.5), (0.316, 0.5)],
    ids=["square", "wide square", "triangular", "metal of MoS2"],
)
def test_in_other_lattices_none_is(across_nm: float, lean: float) -> None:
    assert judged(grid(across_nm, lean))[1:] == (0, 0)


def test_scattered_atoms_have_no_order() -> None:
    scattered = np.random.default_rng(1).uniform(0, 512, (1500, 2))
    assert judged(scattered)[1] < 0.1


def test_edges_count_as_parts_of_the_lattice_but_not_against_its_order() -> None:
    rowcol = sheet()
    ribbons = rowcol[rowcol[:, 0] % 64 < 32]
    _, order, whole_share = judged(ribbons)
    assert order > 0.95
    assert 0.3 < whole_share < 0.9


def test_displaced_atoms_keep_their_order() -> None:
    rng = np.random.default_rng(1)
    rowcol = sheet()
    moved = rowcol + rng.normal(0, 0.015 * 64, rowcol.shape)
    assert judged(moved)[1] > 0.65


def test_of_a_large_frame_bands_are_looked_at_with_the_same_result() -> None:
    rowcol = sheet(16.0)
    rowcol = rowcol[np.random.default_rng(1).permutation(len(rowcol))]
    assert len(rowcol) > 2 * MOST
    found, *shares = judged(rowcol, (1024, 1024))
    assert shares == [1, 1]
    assert len(found.rowcol) <= MOST
    assert found.inner.sum() > MOST / 4
