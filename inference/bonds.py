"""Which atoms of a frame are neighbours, by their distances alone."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from streamer.atoms import SPECIES

LONGEST_NM = 0.19
"""Two C atoms nearer than this are bonded; second neighbours are 0.246 nm apart."""
LONELY_NM = 0.25
"""An atom with no other one within this has no orientation."""


@dataclass(frozen=True, slots=True, eq=False)
class Bonds:
    """Pairs of the N atoms of a frame."""

    rowcol_nm: NDArray[np.float64]
    """(N, 2)"""
    tree: KDTree
    """Of these positions."""
    pairs: NDArray[np.intp]
    """(P, 2): atoms nearer than `LONGEST_NM`, each pair once."""

    def lonely(self) -> NDArray[np.bool_]:
        """(N,): atoms without another one within `LONELY_NM`."""
        lonely = np.ones(len(self.rowcol_nm), bool)
        lonely[self.pairs.ravel()] = False
        free = np.flatnonzero(lonely)
        if len(free) and len(lonely) > 1:
            nearest = self.tree.query(self.rowcol_nm[free], k=2)[0][:, 1]
            lonely[free] = nearest > LONELY_NM
        return lonely

    def carbon_length_nm(self, species: NDArray[np.uint8]) -> float:
        """Median over all C-C bonds; NaN without any.

        Not of the distances to the nearest neighbour: the shortest of three is short by
        chance, the more so the noisier the frame.
        """
        carbon = species == SPECIES.index("C")
        pairs = self.pairs[carbon[self.pairs].all(axis=1)]
        if len(pairs) == 0:
            return math.nan
        first, second = self.rowcol_nm[pairs[:, 0]], self.rowcol_nm[pairs[:, 1]]
        return float(np.median(np.linalg.norm(first - second, axis=1)))


def bonds_of(rowcol_nm: NDArray[np.floating]) -> Bonds:
    """The pairs among atoms at (N, 2) positions, in nm."""
    where = np.asarray(rowcol_nm, np.float64)
    tree = KDTree(where, balanced_tree=False)
    return Bonds(where, tree, tree.query_pairs(LONGEST_NM, output_type="ndarray"))
