"""Bond-orientational order from detected positions, without any truth or network."""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

FIRST_SHELL_NM = 0.19
"""Neighbours of an atom are nearer: 0.142 nm in a whole sheet."""
SECOND_SHELL_NM = 0.265
"""Second neighbours, at 0.246 nm, are nearer; third ones are 0.284 nm away."""
AROUND_NM = 0.5
"""Within this of an atom its surroundings are what an encoder sees of them."""


@dataclass(frozen=True, slots=True, eq=False)
class OrderParameters:
    """One row an atom."""

    angle_rad: NDArray[np.float32]
    """(N,): direction of its neighbours, counter-clockwise on the screen, modulo 2π/3;
    NaN without any."""
    psi3: NDArray[np.float32]
    """(N,): |Σ e^{3iθ}| over its neighbours, by their number or 3, whichever is more:
    0..1."""
    psi6: NDArray[np.float32]
    """(N,): |Σ e^{6iθ}| over its second neighbours, by their number or 6: 0..1."""
    order: NDArray[np.float32]
    """(N,): mean of psi3 over the atoms within `AROUND_NM`, itself among them, 0..1.

    A bond that is missing lowers it, as one that is out of place does. psi3 of one
    atom is mostly noise of the positions; of the atoms around, it is not.
    """

    def __getitem__(self, rows: NDArray[np.intp]) -> "OrderParameters":
        """Those of some of the atoms."""
        columns = (getattr(self, field.name)[rows] for field in fields(self))
        return OrderParameters(*columns)


def order_parameters(rowcol_nm: NDArray[np.float64]) -> OrderParameters:
    """Order around each of (N, 2) detected atoms.

    References
    ----------
    Nelson & Halperin, Phys. Rev. B 19, 2457 (1979): psi6 of a triangular lattice, which
    each sublattice of graphene is.
    """
    tree = KDTree(rowcol_nm)
    first = _psi(rowcol_nm, tree, 0.0, FIRST_SHELL_NM, 3)
    second = _psi(rowcol_nm, tree, FIRST_SHELL_NM, SECOND_SHELL_NM, 6)
    angle = np.where(first == 0, math.nan, np.angle(first) / 3)
    psi3 = np.abs(first)
    return OrderParameters(
        angle_rad=angle.astype(np.float32),
        psi3=psi3.astype(np.float32),
        psi6=np.abs(second).astype(np.float32),
        order=_mean_around(tree, psi3).astype(np.float32),
    )


def orientation_deg(angle_rad: NDArray[np.floating]) -> float:
    """Of a sheet, from the angles of its atoms, ± 30: both sublattices are alike."""
    turned = np.exp(6j * angle_rad[np.isfinite(angle_rad)].astype(np.float64))
    return round(float(np.degrees(np.angle(turned.sum()))) / 6, 2)


def _mean_around(tree: KDTree, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) means over all atoms within `AROUND_NM` of each."""
    there, back = tree.query_pairs(AROUND_NM, output_type="ndarray").T
    total, count = values.copy(), np.ones(len(values))
    for one, other in ((there, back), (back, there)):
        total += np.bincount(one, values[other], len(values))
        count += np.bincount(one, minlength=len(values))
    return total / count


def _psi(
    rowcol: NDArray[np.float64], tree: KDTree, above: float, below: float, order: int
) -> NDArray[np.complex128]:
    """(N,) means of e^{i·order·θ} over the atoms between two distances.

    Of fewer than `order` atoms, those that are missing count as zero.
    """
    pairs = tree.query_pairs(below, output_type="ndarray")
    down, right = (rowcol[pairs[:, 1]] - rowcol[pairs[:, 0]]).T
    along = right - 1j * down  # counter-clockwise on the screen, where rows go down
    far = np.abs(along) > above
    phase = (along[far] / np.abs(along[far])) ** order
    there, back = pairs[far].T
    moment = np.zeros(len(rowcol), np.complex128)
    np.add.at(moment, there, phase)
    np.add.at(moment, back, phase * (-1) ** order)
    count = np.bincount(pairs[far].ravel(), minlength=len(rowcol))
    return moment / np.maximum(count, order)
