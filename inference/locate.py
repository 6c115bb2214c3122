"""Probability maps in, atoms out: where the probability of an atom peaks."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from inference.card import DcnnCard

CLOSEST_NM = 0.07
"""Of two peaks nearer than this only the higher one is an atom."""


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Atoms as the network sees them, ordered by row, then column, of their pixel."""

    rowcol: NDArray[np.float64]
    """(N, 2): sub-pixel positions on the maps."""
    score: NDArray[np.float32]
    """(N,): probability of an atom of any species, 0..1."""
    silicon_share: NDArray[np.float32]
    """(N,): part of that probability which is Si's, 0..1."""

    def __len__(self) -> int:
        return len(self.score)


def locate(
    carbon: NDArray[np.float32], silicon: NDArray[np.float32], card: DcnnCard
) -> Peaks:
    """Local maxima of the probability of an atom, to a fraction of a pixel.

    Parameters
    ----------
    carbon, silicon
        (rows, cols): probability of each species.
    """
    atom = carbon + silicon
    row, col = _local_maxima(atom, card.threshold)
    score = atom[row, col]
    rowcol = np.stack([_vertices(atom.T, col, row), _vertices(atom, row, col)], axis=1)
    apart = _keep_higher(rowcol, score, CLOSEST_NM / card.pixel_size_nm)
    # The flank of an atom that lies beyond the border peaks on the border.
    apart &= ((rowcol >= -0.5) & (rowcol <= np.array(atom.shape) - 0.5)).all(axis=1)
    share = _sum_3x3(silicon, row, col) / np.maximum(_sum_3x3(atom, row, col), 1e-9)
    return Peaks(
        rowcol=rowcol[apart],
        score=np.minimum(score[apart], np.float32(1)),
        silicon_share=np.clip(share, 0, 1).astype(np.float32)[apart],
    )


def _local_maxima(
    atom: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pixels above `threshold` that none of their eight neighbours exceeds."""
    rows, cols = atom.shape
    padded = np.pad(atom, 1, constant_values=-1)
    highest = atom > threshold
    for down, right in product((0, 1, 2), repeat=2):
        neighbour = padded[down : down + rows, right : right + cols]
        # Of two equal pixels the one further down or right is the maximum.
        exceeds = np.greater if (down, right) > (1, 1) else np.greater_equal
        highest &= exceeds(atom, neighbour)
    row, col = np.nonzero(highest)
    return row, col


def _vertices(
    lines: NDArray[np.float32], line: NDArray[np.intp], here: NDArray[np.intp]
) -> NDArray[np.float64]:
    """(N,) sub-pixel positions along each atom's line of pixels.

    The vertex of a parabola through the logarithms of a pixel and its two neighbours,
    exact for a Gaussian. At the border, where a neighbour is missing, that of a
    Gaussian as wide as the other atoms of this frame.
    """
    last = lines.shape[1] - 1
    middle = _log(lines[line, here])
    before = _log(lines[line, np.maximum(here - 1, 0)]) - middle
    after = _log(lines[line, np.minimum(here + 1, last)]) - middle
    curvature = np.minimum(before + after, -1e-9)
    offset = np.clip((before - after) / (2 * curvature), -0.5, 0.5)
    at_first, at_last = here == 0, here == last
    whole = ~(at_first | at_last)
    variance = np.median(-1 / curvature[whole]) if whole.any() else 0.0
    offset[at_first] = 0.5 + variance * after[at_first]
    offset[at_last] = -0.5 - variance * before[at_last]
    return np.asarray(here + offset, np.float64)


def _log(probability: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.log(np.maximum(probability, 1e-6), dtype=np.float64)


def _keep_higher(
    rowcol: NDArray[np.float64], score: NDArray[np.float32], closest_px: float
) -> NDArray[np.bool_]:
    tree = KDTree(rowcol, balanced_tree=False)
    pairs = tree.query_pairs(closest_px, output_type="ndarray")
    lower = np.where(score[pairs[:, 0]] < score[pairs[:, 1]], pairs[:, 0], pairs[:, 1])
    keep = np.ones(len(rowcol), bool)
    keep[lower] = False
    return keep


def _sum_3x3(
    image: NDArray[np.float32], row: NDArray[np.intp], col: NDArray[np.intp]
) -> NDArray[np.float32]:
    padded = np.pad(image, 1)
    total = np.zeros(len(row), np.float32)
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            total += padded[row + down, col + right]
    return total
