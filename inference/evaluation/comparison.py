"""The atoms found in one simulated frame, set beside those that are there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from inference.matching import MATCH_NM, Matching, match
from streamer.atoms import Atoms
from streamer.simulator.truth import Truth

BORDER_NM = 0.1
"""Atoms nearer to the border are not counted: their image is cut."""
NEAR_HIDDEN_NM = 0.15
"""A detection this near to contamination is neither right nor wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One frame: who is whom, and who counts."""

    atoms: Atoms
    truth: Truth
    pixel_size_nm: float
    pairs: Matching
    found_nm: NDArray[np.float64]
    """(N, 2): (row, col)."""
    true_nm: NDArray[np.float64]
    """(M, 2)"""
    extent_nm: NDArray[np.float64]
    """(2,): sides of the frame."""
    counts_found: NDArray[np.bool_]
    """(N,): neither at the border nor at contamination."""
    counts_true: NDArray[np.bool_]
    """(M,)"""

    @property
    def whole(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Pairs, (found, true), of which order can be asked: not at the border."""
        found, true = self.pairs.found, self.pairs.true
        asked = self.counts_true[true] & ~self.atoms.edge[found]
        return found[asked], true[asked]


def compare(
    atoms: Atoms, truth: Truth, shape: tuple[int, int], pixel_size_nm: float
) -> Comparison:
    """Match the atoms of one frame of `shape` (rows, cols) with its truth."""
    found = _stacked(atoms.row_px, atoms.col_px) * pixel_size_nm
    true = _stacked(truth.row_px, truth.col_px) * pixel_size_nm
    pairs = match(found, true, MATCH_NM)
    extent = np.array(shape) * pixel_size_nm
    return Comparison(
        atoms=atoms,
        truth=truth,
        pixel_size_nm=pixel_size_nm,
        pairs=pairs,
        found_nm=found,
        true_nm=true,
        extent_nm=extent,
        counts_found=_inside(found, extent) & ~_near_hidden(found, true, truth, pairs),
        counts_true=_inside(true, extent) & ~truth.hidden,
    )


def marked(count: int, members: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(count,): True at the indices `members`."""
    mask = np.zeros(count, bool)
    mask[members] = True
    return mask


def _stacked(
    row: NDArray[np.floating], col: NDArray[np.floating]
) -> NDArray[np.float64]:
    return np.stack([row, col], axis=1).astype(np.float64)


def _inside(xy: NDArray[np.float64], extent: NDArray[np.float64]) -> NDArray[np.bool_]:
    margin = ((xy > BORDER_NM) & (xy < extent - BORDER_NM)).all(axis=1)
    return np.asarray(margin)


def _near_hidden(
    found: NDArray[np.float64],
    true: NDArray[np.float64],
    truth: Truth,
    pairs: Matching,
) -> NDArray[np.bool_]:
    """Detections of hidden atoms, and unmatched ones beside contamination."""
    near = np.zeros(len(found), bool)
    if truth.hidden.any() and len(found):
        distance = np.asarray(KDTree(true[truth.hidden]).query(found)[0])
        near = distance < NEAR_HIDDEN_NM
        near[pairs.found[~truth.hidden[pairs.true]]] = False
    return near
