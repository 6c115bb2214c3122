"""Bond-orientational order from detected positions: what needs no network to tell."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

FIRST_SHELL_NM = 0.19
"""Neighbours of an atom are nearer: 0.142 nm in a whole sheet."""
SECOND_SHELL_NM = 0.265
"""Second neighbours, at 0.246 nm, are nearer; third ones are 0.284 nm away."""


@dataclass(frozen=True, slots=True, eq=False)
class OrderParameters:
    """One row an atom."""

    angle_rad: NDArray[np.float32]
    """(N,): direction of its neighbours, counter-clockwise on the screen, modulo 2π/3;
    NaN without any."""
    psi3: NDArray[np.float32]
    """(N,): |Σ e^{3iθ}| / 3 over its neighbours, 0..1."""
    psi6: NDArray[np.float32]
    """(N,): |Σ e^{6iθ}| / 6 over its second neighbours, 0..1."""


def order_parameters(rowcol_nm: NDArray[np.float64]) -> OrderParameters:
    """Order around each of (N, 2) detected atoms.

    References
    ----------
    Nelson & Halperin, Phys. Rev. B 19, 2457 (1979): psi6 of a triangular lattice, which
    each sublattice of graphene is.
    """
    tree = KDTree(rowcol_nm)
    first = _moment(rowcol_nm, tree, 0.0, FIRST_SHELL_NM, 3)
    second = _moment(rowcol_nm, tree, FIRST_SHELL_NM, SECOND_SHELL_NM, 6)
    angle = np.where(first == 0, math.nan, np.angle(first) / 3)
    return OrderParameters(
        angle_rad=angle.astype(np.float32),
        psi3=np.minimum(np.abs(first) / 3, 1).astype(np.float32),
        psi6=np.minimum(np.abs(second) / 6, 1).astype(np.float32),
    )


def _moment(
    rowcol: NDArray[np.float64], tree: KDTree, above: float, below: float, order: int
) -> NDArray[np.complex128]:
    """(N,) sums of e^{i·order·θ} over the atoms between two distances."""
    pairs = tree.query_pairs(below, output_type="ndarray")
    down, right = (rowcol[pairs[:, 1]] - rowcol[pairs[:, 0]]).T
    along = right - 1j * down  # counter-clockwise on the screen, where rows go down
    far = np.abs(along) > above
    phase = (along[far] / np.abs(along[far])) ** order
    there, back = pairs[far].T
    moment = np.zeros(len(rowcol), np.complex128)
    np.add.at(moment, there, phase)
    np.add.at(moment, back, phase * (-1) ** order)
    return moment
