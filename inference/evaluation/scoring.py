"""How good an analysis is, against the truth of a simulated frame."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from inference.evaluation.comparison import Comparison, compare, marked
from inference.evaluation.ranks import rank_correlation
from streamer.atoms import SPECIES, Atoms
from streamer.simulator.truth import Truth

VACUUM_NM = 0.25
"""Farther than this from every true atom is vacuum."""
BULK = 0.9
"""Crystallinity from which on an atom belongs to the bulk."""


@dataclass(frozen=True, slots=True)
class Score:
    """Shares are 0..1; NaN where nothing could be counted."""

    precision: float
    recall: float
    f1: float
    edge_recall: float
    """Of atoms with a bond missing."""
    rmsd_pm: float
    """Radial, of matched atoms."""
    silicon_precision: float
    silicon_recall: float
    vacuum_nm2: float
    """False atoms per nm² of vacuum."""
    angle_bulk_deg: float
    """Mean absolute error of the orientation, modulo 120°, in the bulk."""
    angle_deg: float
    order_rho: float
    """Spearman's rank correlation of crystallinity with the true one."""


def score(
    atoms: Atoms, truth: Truth, shape: tuple[int, int], pixel_size_nm: float
) -> Score:
    """Compare the atoms found in one frame with those that are there."""
    return score_of(compare(atoms, truth, shape, pixel_size_nm))


def score_of(frame: Comparison) -> Score:
    """The marks of one compared frame."""
    atoms, truth, pairs = frame.atoms, frame.truth, frame.pairs
    is_found = marked(len(truth), pairs.true)
    is_right = marked(len(atoms), pairs.found)
    recall = _share(is_found[frame.counts_true])
    precision = _share(is_right[frame.counts_found])
    seen = frame.counts_true[pairs.true]
    off, bulk = _angle_errors_deg(frame)
    return Score(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / max(precision + recall, 1e-9),
        edge_recall=_share(is_found[frame.counts_true & (truth.coordination < 3)]),
        rmsd_pm=_root_mean_square(pairs.distance[seen]) * 1e3,
        silicon_precision=_silicon_precision(frame),
        silicon_recall=_silicon_recall(frame),
        vacuum_nm2=_false_in_vacuum(frame),
        angle_bulk_deg=_mean(off[bulk]),
        angle_deg=_mean(off),
        order_rho=_order_rho(frame),
    )


def _silicon_precision(frame: Comparison) -> float:
    silicon = SPECIES.index("Si")
    is_silicon = frame.truth.species[frame.pairs.true] == silicon
    right = marked(len(frame.atoms), frame.pairs.found[is_silicon])
    return _share(right[frame.counts_found & (frame.atoms.species == silicon)])


def _silicon_recall(frame: Comparison) -> float:
    silicon = SPECIES.index("Si")
    is_silicon = frame.atoms.species[frame.pairs.found] == silicon
    right = marked(len(frame.truth), frame.pairs.true[is_silicon])
    return _share(right[frame.counts_true & (frame.truth.species == silicon)])


def _false_in_vacuum(frame: Comparison) -> float:
    """False atoms per nm² of vacuum; NaN where there is less than 1 nm² of it."""
    found = frame.found_nm[frame.counts_found]
    if len(frame.true_nm) == 0:
        return len(found) / float(np.prod(frame.extent_nm))
    tree = KDTree(frame.true_nm)
    step = 0.05
    axes = [np.arange(step / 2, side, step) for side in frame.extent_nm]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    far = np.asarray(tree.query(grid, distance_upper_bound=VACUUM_NM)[0]) > VACUUM_NM
    vacuum_nm2 = float(far.sum()) * step**2
    if vacuum_nm2 < 1:
        return math.nan
    false = np.asarray(tree.query(found)[0]) > VACUUM_NM if len(found) else np.empty(0)
    return float(false.sum()) / vacuum_nm2


def _angle_errors_deg(
    frame: Comparison,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Errors of the orientations that are told, and which of them are in the bulk."""
    found, true = frame.whole
    told = frame.atoms.angle_rad[found]
    off = (told - frame.truth.angle_rad[true]).astype(np.float64)
    period = 2 * math.pi / 3
    errors = np.degrees(np.abs(off - period * np.round(off / period)))
    known = np.isfinite(errors)
    bulk = frame.truth.crystallinity[true] > BULK
    return errors[known], bulk[known]


def _order_rho(frame: Comparison) -> float:
    found, true = frame.whole
    told = frame.atoms.latents["crystallinity"][found]
    return rank_correlation(told, frame.truth.crystallinity[true])


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _root_mean_square(values: NDArray[np.floating]) -> float:
    return float(np.sqrt((values**2).mean())) if len(values) else math.nan
