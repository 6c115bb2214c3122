import math

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.bonds import bonds_of
from inference.positions import Placed
from streamer.simulator.sheet import honeycomb

BOND_NM = 0.142


def placed(rowcol: NDArray[np.float64], net: NDArray[np.float64]) -> Placed:
    count = len(rowcol)
    return Placed(
        rowcol=rowcol,
        sigma_px=np.full((count, 2), np.nan),
        net=net,
        on_maps=net,
        peak=np.arange(count),
        score=np.ones(count, np.float32),
        species=np.zeros(count, np.uint8),
        probe=None,
    )


def test_noise_of_measured_positions_lengthens_no_bond() -> None:
    sites = honeycomb(6.0, 0.2)
    noisy = sites + np.random.default_rng(1).normal(0, 0.03, sites.shape)
    bonds = bonds_of(placed(noisy, sites).smooth())
    length_nm = bonds.carbon_length_nm(np.zeros(len(sites), np.uint8))
    assert length_nm == pytest.approx(BOND_NM, abs=1e-4)


def test_atoms_that_the_network_did_not_see_count_where_they_are() -> None:
    sites = honeycomb(6.0, 0.2)
    net = sites.copy()
    net[::3] = np.nan
    np.testing.assert_array_equal(placed(sites, net).smooth(), sites)


@pytest.mark.parametrize(
    ("row_nm", "lonely"),
    [
        ([], []),
        ([1.0], [True]),
        ([1.0, 1.142], [False, False]),
        ([1.0, 1.18, 1.36], [False, False, False]),
        ([1.0, 1.24], [False, False]),
        ([1.0, 1.26], [True, True]),
        ([1.0, 1.142, 1.385, 1.7], [False, False, False, True]),
    ],
    ids=["none", "one", "bonded", "in a row", "not bonded, yet near", "far", "mixed"],
)
def test_an_atom_is_lonely_with_none_within_a_quarter_of_a_nanometre(
    row_nm: list[float], lonely: list[bool]
) -> None:
    rowcol_nm = np.array([[row, 2.0] for row in row_nm]).reshape(-1, 2)
    assert bonds_of(rowcol_nm).lonely().tolist() == lonely


def test_bonds_of_silicon_do_not_count() -> None:
    rowcol_nm = np.array([[1.0, 1.0], [1.142, 1.0], [3.0, 3.0], [3.18, 3.0]])
    bonds = bonds_of(rowcol_nm)
    assert len(bonds.pairs) == 2
    species = np.array([0, 0, 1, 0], np.uint8)
    assert bonds.carbon_length_nm(species) == pytest.approx(BOND_NM)
    assert math.isnan(bonds.carbon_length_nm(np.ones(4, np.uint8)))
