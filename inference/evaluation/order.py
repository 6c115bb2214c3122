"""Whether the content latents tell order, and order alone."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.evaluation.comparison import Comparison
from inference.evaluation.ranks import auc, rank_correlation
from inference.evaluation.scoring import BULK
from streamer.simulator.sheet import Sheet, find_bonds

DISORDERED = 0.8
"""True crystallinity below which an atom is not of the bulk, by the second measure."""


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """Of the atoms of all frames of one movie together."""

    spearman: float
    """Rank correlation of the latent "crystallinity" with the true one."""
    defect_auc: float
    """Chance that an atom away from defects has more crystallinity than one at an edge
    or defect: one with a bond missing, or bonded to such a one."""
    disorder_auc: float
    """The same of true crystallinity above and below `DISORDERED`."""
    leak: float
    """R² of cos and sin of three times the true angle, from all latents, linearly, in
    the bulk."""
    leak_quadratic: float
    """The same from latents, their squares and products."""


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What is told of atoms, and what is true of them."""

    latents: NDArray[np.float64]
    """(N, k)"""
    order: NDArray[np.float64]
    true_order: NDArray[np.float64]
    angle_rad: NDArray[np.float64]
    at_defect: NDArray[np.bool_]


def order_figures(frames: list[Comparison]) -> OrderFigures:
    """Of one movie."""
    told = _together([_told(frame) for frame in frames])
    bulk = told.true_order > BULK
    latents, angle_rad = told.latents[bulk], told.angle_rad[bulk]
    return OrderFigures(
        spearman=rank_correlation(told.order, told.true_order),
        defect_auc=auc(told.order[~told.at_defect], told.order[told.at_defect]),
        disorder_auc=auc(
            told.order[told.true_order >= DISORDERED],
            told.order[told.true_order < DISORDERED],
        ),
        leak=rotation_leak(latents, angle_rad),
        leak_quadratic=rotation_leak(with_products(latents), angle_rad),
    )


def rotation_leak(
    latents: NDArray[np.floating], angle_rad: NDArray[np.floating]
) -> float:
    """R² of (cos 3θ, sin 3θ) predicted from latents (N, k) by linear least squares.

    NaN where there are not more atoms than unknowns.
    """
    count, unknowns = len(latents), latents.shape[1] + 1
    if count <= unknowns:
        return math.nan
    asked = np.stack([np.cos(3 * angle_rad), np.sin(3 * angle_rad)], axis=1)
    spread = float(((asked - asked.mean(axis=0)) ** 2).sum())
    design = np.column_stack([np.ones(count), latents])
    # Columns of equal size, so that none is taken for a multiple of another.
    design /= np.maximum(np.linalg.norm(design, axis=0), 1e-30)
    fitted = design @ np.linalg.lstsq(design, asked)[0]
    left = float(((asked - fitted) ** 2).sum())
    return 1 - left / spread if spread > 0 else math.nan


def with_products(latents: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, k) latents with their squares and products beside them."""
    centred = latents - latents.mean(axis=0) if len(latents) else latents
    first, second = np.triu_indices(latents.shape[1])
    return np.column_stack([latents, centred[:, first] * centred[:, second]])


def at_defect(frame: Comparison) -> NDArray[np.bool_]:
    """(M,): true atoms with a bond missing, and those bonded to one."""
    truth = frame.truth
    missing = truth.coordination < 3
    nowhere = np.zeros(len(truth), np.int64)
    bonds = find_bonds(Sheet(frame.true_nm, truth.species, nowhere, 0.0)).pairs
    beside = missing.copy()
    beside[bonds[missing[bonds].any(axis=1)].ravel()] = True
    return beside


def _told(frame: Comparison) -> _Told:
    found, true = frame.whole
    latents = np.column_stack(
        [column[found] for column in frame.atoms.latents.values()]
    )
    return _Told(
        latents=latents.astype(np.float64),
        order=frame.atoms.latents["crystallinity"][found].astype(np.float64),
        true_order=frame.truth.crystallinity[true].astype(np.float64),
        angle_rad=frame.truth.angle_rad[true].astype(np.float64),
        at_defect=at_defect(frame)[true],
    )


def _together(each: list[_Told]) -> _Told:
    return _Told(
        latents=np.concatenate([told.latents for told in each]),
        order=np.concatenate([told.order for told in each]),
        true_order=np.concatenate([told.true_order for told in each]),
        angle_rad=np.concatenate([told.angle_rad for told in each]),
        at_defect=np.concatenate([told.at_defect for told in each]),
    )
