"""Which detected atom is which true one, and how good that makes the detection."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

MATCH_NM = 0.07
"""Farther apart than half a bond a detection is no longer of that atom."""


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Pairs of mutual nearest neighbours."""

    found: NDArray[np.intp]
    """(M,): index of each matched detection."""
    true: NDArray[np.intp]
    """(M,): index of the true atom it is."""
    distance: NDArray[np.float64]
    """(M,): between the two, in the unit of the positions."""


def match(
    found: NDArray[np.floating], true: NDArray[np.floating], reach: float
) -> Matching:
    """Pair detections with true atoms, each at most once, when nearer than `reach`.

    Parameters
    ----------
    found, true
        (N, 2) and (M, 2) positions in the same unit as `reach`.
    """
    if len(found) == 0 or len(true) == 0:
        none = np.empty(0, np.intp)
        return Matching(none, none, np.empty(0))
    distance, nearest = KDTree(true).query(found, distance_upper_bound=reach)
    distance, nearest = np.asarray(distance), np.asarray(nearest)
    back = np.asarray(KDTree(found).query(true, distance_upper_bound=reach)[1])
    near = np.flatnonzero(nearest < len(true))
    mutual = near[back[nearest[near]] == near]
    return Matching(mutual, nearest[mutual], distance[mutual])
