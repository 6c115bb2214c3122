"""Order around an atom from its neighbours' positions alone, without any truth."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

BOND_NM = 0.19
"""Neighbours are nearer than this: 0.142 nm in graphene."""
BONDS = 3
AROUND_NM = 0.5
"""Within this of an atom its surroundings are what an encoder sees of them."""


def mean_psi3(rowcol_nm: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean of |ψ3| over the atoms within `AROUND_NM` of each atom, 0 to 1.

    ψ3 = Σ exp(3iθ) / 3 over the directions θ of an atom's bonds: a bond that is
    missing lowers it, as one that is out of place does. That of one atom is mostly
    noise of the positions; of the atoms around, it is not.

    Parameters
    ----------
    rowcol_nm
        (N, 2)

    Returns
    -------
    (N,)
    """
    tree = KDTree(rowcol_nm)
    bonds = tree.query_pairs(BOND_NM, output_type="ndarray")
    step = rowcol_nm[bonds[:, 1]] - rowcol_nm[bonds[:, 0]]
    turn = np.exp(3j * np.arctan2(step[:, 0], step[:, 1]))
    # A bond's other end sees it half a turn away, which three times over is as much.
    total, count = _sums(bonds, turn, -turn, len(rowcol_nm))
    psi3 = np.abs(total) / np.maximum(count, BONDS)
    near = tree.query_pairs(AROUND_NM, output_type="ndarray")
    around, others = _sums(near, psi3[near[:, 1]], psi3[near[:, 0]], len(rowcol_nm))
    return np.asarray((psi3 + around) / (1 + others), np.float32)


def _sums[T: np.inexact](
    pairs: NDArray[np.intp], first: NDArray[T], second: NDArray[T], atoms: int
) -> tuple[NDArray[T], NDArray[np.float64]]:
    """(N,) sums over pairs of what each end gets of it, and how many they are."""
    total = np.zeros(atoms, first.dtype)
    np.add.at(total, pairs[:, 0], first)
    np.add.at(total, pairs[:, 1], second)
    return total, np.bincount(pairs.ravel(), minlength=atoms).astype(np.float64)
