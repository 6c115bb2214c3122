"""Whether latents tell order, and order alone."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, spearmanr

DISORDERED = 0.8
"""True crystallinity below which an atom is at an edge or a defect."""


def rank_correlation(
    first: NDArray[np.floating], second: NDArray[np.floating]
) -> float:
    """Spearman's; NaN where one of them does not vary."""
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan
    return float(spearmanr(first, second).statistic)


def auc(high: NDArray[np.floating], low: NDArray[np.floating]) -> float:
    """Chance that one of `high` exceeds one of `low`; NaN if either has none."""
    if len(high) == 0 or len(low) == 0:
        return math.nan
    return float(mannwhitneyu(high, low).statistic) / (len(high) * len(low))


def rotation_leak(
    latents: NDArray[np.floating], angle_rad: NDArray[np.floating]
) -> float:
    """R² of (cos 3θ, sin 3θ) predicted from latents (N, k) by linear least squares."""
    asked = np.stack([np.cos(3 * angle_rad), np.sin(3 * angle_rad)], axis=1)
    spread = float(((asked - asked.mean(axis=0)) ** 2).sum())
    if len(latents) <= latents.shape[1] + 1 or spread == 0:
        return math.nan
    scaled = (latents - latents.mean(axis=0)) / np.maximum(latents.std(axis=0), 1e-12)
    design = np.column_stack([np.ones(len(scaled)), scaled])
    left = asked - design @ np.linalg.lstsq(design, asked)[0]
    return 1 - float((left**2).sum()) / spread


def with_products(latents: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, k) latents with their squares and products beside them."""
    centred = latents - latents.mean(axis=0)
    first, second = np.triu_indices(latents.shape[1])
    products = centred[:, first] * centred[:, second]
    return np.column_stack([centred, products]).astype(np.float64)
