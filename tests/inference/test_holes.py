import math

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.holes import HOLE_RADIUS_NM, distance_nm, edge_atoms, holes_of
from streamer.simulator.sheet import honeycomb

PIXEL_NM = 0.02
SHAPE = (300, 400)  # 6 nm x 8 nm
SECOND_NM = 0.246
MIDDLE = np.array([3.0, 4.0])


def sheet(hole_nm: float = 0.0) -> NDArray[np.float64]:
    """Atoms at (row, col) in nm, but for those within `hole_nm` of the middle."""
    yx = (honeycomb(9.0, 0.2) + np.array([4.0, 3.0]))[:, ::-1]
    inside = (yx > 0).all(axis=1) & (yx < [6.0, 8.0]).all(axis=1)
    return np.asarray(yx[inside & (np.hypot(*(yx - MIDDLE).T) > hole_nm)])


def test_a_whole_sheet_has_no_edges() -> None:
    atoms = sheet()
    holes = holes_of(atoms, SHAPE, PIXEL_NM)
    assert holes.area_nm2 == 0
    assert not edge_atoms(atoms, holes).any()
    assert np.isnan(distance_nm(atoms, atoms[:0])).all()


@pytest.mark.parametrize("radius_nm", [0.8, 1.5])
def test_edge_atoms_line_a_hole_and_no_others(radius_nm: float) -> None:
    atoms = sheet(radius_nm)
    from_middle = np.hypot(*(atoms - MIDDLE).T)
    found = edge_atoms(atoms, holes_of(atoms, SHAPE, PIXEL_NM))
    # Farther than a second neighbour from the rim others lie between.
    assert from_middle[found].max() < radius_nm + SECOND_NM
    # Whoever is nearest to the middle in its direction lines the hole.
    assert found[from_middle < radius_nm + 0.04].all()
    around = 2 * math.pi * radius_nm
    assert around / 0.246 < found.sum() < around / 0.1


def test_distances_count_from_the_edge_atoms() -> None:
    atoms = sheet(1.0)
    edges = atoms[edge_atoms(atoms, holes_of(atoms, SHAPE, PIXEL_NM))]
    assert (distance_nm(edges, edges) == 0).all()
    away = MIDDLE + np.array([[0.0, 3.0], [2.5, 0.0]])
    found, from_rim = distance_nm(away, edges), np.array([2.0, 1.5])
    assert (found <= from_rim).all()
    assert (found > from_rim - SECOND_NM).all()


def test_the_frames_border_is_no_edge() -> None:
    atoms = sheet()
    beyond_nm = HOLE_RADIUS_NM / 2
    inner = atoms[(atoms > beyond_nm).all(axis=1)]
    assert not edge_atoms(inner, holes_of(inner, SHAPE, PIXEL_NM)).any()


def test_a_frame_without_atoms_is_one_hole() -> None:
    holes = holes_of(np.empty((0, 2)), SHAPE, PIXEL_NM)
    assert holes.area_nm2 == pytest.approx(48)
    assert edge_atoms(np.empty((0, 2)), holes).shape == (0,)
