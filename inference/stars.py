"""Atoms amid three others, 120° apart, and the regular stars that their bonds make."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.bonds import Bonds

LARGEST_BEND_RAD = np.radians(25)
"""By which an angle between bonds may differ from 120°: displacements of 0.015 nm an
axis leave most atoms whole, a square (90°) or triangular lattice (60°) none."""
BACK_BY_THIRDS = np.exp(-2j * np.pi / 3 * np.arange(3))
"""Turns three directions, 120° apart, onto the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Stars:
    """N atoms with three bonds each; all lengths in one unit."""

    rowcol: NDArray[np.float64]
    """(N, 2): where they are."""
    seen: NDArray[np.complex128]
    """(N,): length and direction of the star that fits an atom's bonds best, by
    positions that scatter little, which tell directions."""
    measured: NDArray[np.complex128]
    """(N,): the same by positions that lean less on a lattice, which tell lengths."""

    def __len__(self) -> int:
        return len(self.rowcol)


def stars_of(bonds: Bonds, measured_nm: NDArray[np.float64]) -> Stars:
    """Of the atoms with three bonds, 120° apart.

    Parameters
    ----------
    measured_nm
        (N, 2): where the atoms of `bonds` are, leaning less on a lattice.
    """
    atom, neighbours = _amid_three(bonds.pairs, len(bonds.rowcol_nm))
    seen = _between(bonds.rowcol_nm, atom, neighbours)
    whole = bends(seen) < LARGEST_BEND_RAD
    atom, neighbours, seen = atom[whole], neighbours[whole], seen[whole]
    around = _around(seen)
    measured = _between(measured_nm, atom, neighbours)
    return Stars(bonds.rowcol_nm[atom], _star(seen, around), _star(measured, around))


def seen_stars(rowcol: NDArray[np.float64], bonds: NDArray[np.float64]) -> Stars:
    """Of N atoms whose positions are known one way only, and their (N, 3, 2) bonds."""
    star = _star(bonds, _around(bonds))
    return Stars(rowcol, star, star)


def bends(bonds: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,): by how much the worst angle between (N, 3, 2) bonds differs from 120°."""
    direction = np.arctan2(bonds[..., 0], bonds[..., 1])
    between = np.abs(direction - np.roll(direction, 1, axis=1))
    angle = np.minimum(between, 2 * np.pi - between)
    return np.asarray(np.abs(angle - 2 * np.pi / 3).max(axis=1))


def _amid_three(
    pairs: NDArray[np.intp], count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(N,): atoms that are in three pairs; (N, 3): with whom."""
    three = np.bincount(pairs.ravel(), minlength=count) == 3
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[three[both[:, 0]]]
    both = both[np.argsort(both[:, 0], kind="stable")]
    return both[::3, 0], both[:, 1].reshape(-1, 3)


def _between(
    rowcol: NDArray[np.float64], atom: NDArray[np.intp], neighbours: NDArray[np.intp]
) -> NDArray[np.float64]:
    return np.asarray(rowcol[neighbours] - rowcol[atom, None])


def _around(bonds: NDArray[np.float64]) -> NDArray[np.intp]:
    """(N, 3): the bonds of each atom in the order of their directions."""
    return np.argsort(np.arctan2(bonds[..., 1], bonds[..., 0]), axis=1)


def _star(
    bonds: NDArray[np.float64], around: NDArray[np.intp]
) -> NDArray[np.complex128]:
    """Mean of each atom's bonds, turned onto each other by 120°.

    The atom's own noise cancels, and noise lengthens the star by a sixth of what it
    adds to a single bond.
    """
    across = bonds[..., 0] + 1j * bonds[..., 1]
    return np.asarray(np.take_along_axis(across, around, axis=1) @ BACK_BY_THIRDS / 3)
