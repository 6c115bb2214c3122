"""How much latents tell of order and orientation, on atoms whose truth is known."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.evaluation.order import DISORDERED, rotation_leak, with_products
from inference.evaluation.ranks import auc, rank_correlation
from inference.evaluation.scoring import BULK
from inference.paper_methods.reading import best_latent, errors_deg, mean_offset_rad
from inference.paper_methods.told import Told
from inference.training.paper_readout import (
    raw_latents,
)
from inference.training.paper_rvae import CONTENT, PaperRvae
from inference.training.simulated_windows import DescribedAtoms
from streamer.frame import JsonValue

type Method = Callable[[DescribedAtoms], Told]


@dataclass(frozen=True, slots=True)
class LatentFigures:
    """Measured on held-out atoms, read as on the training's atoms."""

    angle_bulk_deg: float
    """Mean absolute error of the orientation, modulo 120°, in the bulk."""
    angle_deg: float
    leak: float
    """R² of cos and sin of three times the true angle, from the content, in the bulk;
    linearly."""
    leak_quadratic: float
    """The same from the content, its squares and products."""
    spearman: float
    """Rank correlation of the best of the content with the true order."""
    auc: float
    """Chance that it ranks true crystallinity of 0.8 and more above less."""


def by_rvae(rvae: PaperRvae, window: str) -> Method:
    """Its angle and its content; dx and dy are where the atom lies in its pixel."""

    def tell(atoms: DescribedAtoms) -> Told:
        raw = raw_latents(rvae.encoder, atoms.rows[window])
        return Told(raw[:, -CONTENT:], raw[:, 0])

    return tell


def latent_figures(
    reading: Told, known: DescribedAtoms, told: Told, truth: DescribedAtoms
) -> LatentFigures:
    """Figures of `told`, what a method tells of the held-out atoms `truth`.

    Parameters
    ----------
    reading, known
        The same method on the atoms that it was fitted to: there it is found out which
        latent tells order, which way up it is, and where the angle is nought.
    """
    column, sign = best_latent(reading.content, known.crystallinity)
    order = sign * told.content[:, column]
    bulk = truth.crystallinity > BULK
    content = told.content[bulk].astype(np.float64)
    off = _angle_errors_deg(reading, known, told, truth)
    return LatentFigures(
        angle_bulk_deg=_mean_of_finite(off[bulk]),
        angle_deg=_mean_of_finite(off),
        leak=rotation_leak(content, truth.angle_rad[bulk]),
        leak_quadratic=rotation_leak(with_products(content), truth.angle_rad[bulk]),
        spearman=rank_correlation(order, truth.crystallinity),
        auc=auc(
            order[truth.crystallinity >= DISORDERED],
            order[truth.crystallinity < DISORDERED],
        ),
    )


def _angle_errors_deg(
    reading: Told, known: DescribedAtoms, told: Told, truth: DescribedAtoms
) -> NDArray[np.float64]:
    """(N,) modulo 120°; NaN for a method that tells no orientation."""
    if reading.angle_rad is None or told.angle_rad is None:
        return np.full(len(truth), math.nan)
    certain = known.crystallinity > BULK
    offset = mean_offset_rad(reading.angle_rad[certain], known.angle_rad[certain])
    return errors_deg(told.angle_rad + offset, truth.angle_rad)


def _mean_of_finite(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def rounded(figures: Mapping[str, float]) -> dict[str, JsonValue]:
    """As they are written down; null for what is not known."""
    return {
        name: None if math.isnan(value) else round(value, 4)
        for name, value in figures.items()
    }
