"""How good an analysis is, against the truth of a simulated frame."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.stats import spearmanr

from inference.matching import MATCH_NM, Matching, match
from streamer.atoms import SPECIES, Atoms
from streamer.simulator.truth import Truth

BORDER_NM = 0.1
"""Atoms nearer to the border are not counted: their image is cut."""
VACUUM_NM = 0.25
"""Farther than this from every true atom is vacuum."""
NEAR_HIDDEN_NM = 0.15
"""A detection this near to contamination is neither right nor wrong."""
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
    found = np.stack([atoms.row_px, atoms.col_px], axis=1) * pixel_size_nm
    true = np.stack([truth.row_px, truth.col_px], axis=1) * pixel_size_nm
    pairs = match(found, true, MATCH_NM)
    extent = np.array(shape) * pixel_size_nm
    counts_true = _inside(true, extent) & ~truth.hidden
    counts_found = _inside(found, extent) & ~_near_hidden(found, true, truth, pairs)
    is_found = _marked(len(true), pairs.true)
    is_right = _marked(len(found), pairs.found)
    recall = _share(is_found[counts_true])
    precision = _share(is_right[counts_found])
    seen = counts_true[pairs.true]
    fine, good = pairs.found[seen], pairs.true[seen]
    off = _angle_errors_deg(atoms.angle_rad[fine], truth.angle_rad[good])
    whole = ~atoms.edge[fine] & np.isfinite(off)
    bulk = whole & (truth.crystallinity[good] > BULK)
    order = atoms.latents["crystallinity"][fine][whole]
    return Score(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / max(precision + recall, 1e-9),
        edge_recall=_share(is_found[counts_true & (truth.coordination < 3)]),
        rmsd_pm=_root_mean_square(pairs.distance[seen]) * 1e3,
        silicon_precision=_silicon_precision(atoms, truth, pairs, counts_found),
        silicon_recall=_silicon_recall(atoms, truth, pairs, counts_true),
        vacuum_nm2=_false_in_vacuum(found[counts_found], true, extent),
        angle_bulk_deg=_mean(off[bulk]),
        angle_deg=_mean(off[whole]),
        order_rho=_rank_correlation(order, truth.crystallinity[good][whole]),
    )


def _inside(xy: NDArray[np.floating], extent: NDArray[np.float64]) -> NDArray[np.bool_]:
    margin = ((xy > BORDER_NM) & (xy < extent - BORDER_NM)).all(axis=1)
    return np.asarray(margin)


def _near_hidden(
    found: NDArray[np.floating],
    true: NDArray[np.floating],
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


def _marked(count: int, members: NDArray[np.intp]) -> NDArray[np.bool_]:
    mask = np.zeros(count, bool)
    mask[members] = True
    return mask


def _silicon_precision(
    atoms: Atoms, truth: Truth, pairs: Matching, counts: NDArray[np.bool_]
) -> float:
    silicon = SPECIES.index("Si")
    right = _marked(len(atoms), pairs.found[truth.species[pairs.true] == silicon])
    return _share(right[counts & (atoms.species == silicon)])


def _silicon_recall(
    atoms: Atoms, truth: Truth, pairs: Matching, counts: NDArray[np.bool_]
) -> float:
    silicon = SPECIES.index("Si")
    right = _marked(len(truth), pairs.true[atoms.species[pairs.found] == silicon])
    return _share(right[counts & (truth.species == silicon)])


def _false_in_vacuum(
    found: NDArray[np.floating],
    true: NDArray[np.floating],
    extent: NDArray[np.float64],
) -> float:
    """False atoms per nm² of vacuum; NaN where there is less than 1 nm² of it."""
    if len(true) == 0:
        return len(found) / float(np.prod(extent))
    tree = KDTree(true)
    step = 0.05
    axes = [np.arange(step / 2, side, step) for side in extent]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    far = np.asarray(tree.query(grid, distance_upper_bound=VACUUM_NM)[0]) > VACUUM_NM
    vacuum_nm2 = float(far.sum()) * step**2
    if vacuum_nm2 < 1:
        return math.nan
    false = np.asarray(tree.query(found)[0]) > VACUUM_NM if len(found) else np.empty(0)
    return float(false.sum()) / vacuum_nm2


def _angle_errors_deg(
    found_rad: NDArray[np.float32], true_rad: NDArray[np.float32]
) -> NDArray[np.float64]:
    period = 2 * math.pi / 3
    off = (found_rad - true_rad).astype(np.float64)
    return np.degrees(np.abs(off - period * np.round(off / period)))


def _rank_correlation(
    first: NDArray[np.floating], second: NDArray[np.floating]
) -> float:
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan
    return float(spearmanr(first, second).statistic)


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _root_mean_square(values: NDArray[np.floating]) -> float:
    return float(np.sqrt((values**2).mean())) if len(values) else math.nan
