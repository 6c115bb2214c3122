"""Probability maps in, atoms out: where the probability peaks, and of what species."""

from dataclasses import dataclass

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
    silicon: NDArray[np.bool_]
    """(N,)"""

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
    offset = _log_parabola(atom, row, col)
    rowcol = np.stack([row, col], axis=1) + offset
    apart = _keep_higher(rowcol, score, CLOSEST_NM / card.pixel_size_nm)
    share = _sum_3x3(silicon, row, col) / np.maximum(_sum_3x3(atom, row, col), 1e-9)
    return Peaks(
        rowcol=rowcol[apart],
        score=np.minimum(score[apart], np.float32(1)),
        silicon=(share >= card.silicon_share)[apart],
    )


def _local_maxima(
    atom: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pixels above `threshold` that none of their eight neighbours exceeds."""
    padded = np.pad(atom, 1, constant_values=-1)
    row, col = np.nonzero(atom > threshold)
    value = atom[row, col]
    highest = np.ones(len(row), bool)
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            neighbour = padded[row + down, col + right]
            # Of two equal pixels the one further down or right is the maximum.
            later = (down, right) > (1, 1)
            highest &= value > neighbour if later else value >= neighbour
    return row[highest], col[highest]


def _log_parabola(
    atom: NDArray[np.float32], row: NDArray[np.intp], col: NDArray[np.intp]
) -> NDArray[np.float64]:
    """(N, 2): from the pixel to the vertex of a parabola through its logarithms.

    Exact for a Gaussian peak; at the frame's border the pixel itself.
    """
    logs = np.log(np.maximum(np.pad(atom, 1, mode="edge"), 1e-6)).astype(np.float64)
    here = logs[row + 1, col + 1]
    offset = np.empty((len(row), 2))
    for axis, (down, right) in enumerate(((1, 0), (0, 1))):
        before = logs[row + 1 - down, col + 1 - right]
        after = logs[row + 1 + down, col + 1 + right]
        curvature = before - 2 * here + after
        slope = (before - after) / 2
        safe = np.where(curvature < -1e-9, curvature, -np.inf)
        offset[:, axis] = np.clip(slope / safe, -0.5, 0.5)
    inside_row = (row > 0) & (row < atom.shape[0] - 1)
    inside_col = (col > 0) & (col < atom.shape[1] - 1)
    offset[~inside_row, 0] = 0
    offset[~inside_col, 1] = 0
    return offset


def _keep_higher(
    rowcol: NDArray[np.float64], score: NDArray[np.float32], closest_px: float
) -> NDArray[np.bool_]:
    pairs = KDTree(rowcol).query_pairs(closest_px, output_type="ndarray")
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
