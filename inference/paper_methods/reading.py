"""How latents are read: which of them orders, and where an angle is nought."""

import math

import numpy as np
from numpy.typing import NDArray

from inference.evaluation.ranks import rank_correlation

SYMMETRY = 3
"""Of a site of graphene."""
PERIOD_RAD = 2 * math.pi / SYMMETRY


def best_latent(
    content: NDArray[np.floating], order: NDArray[np.floating]
) -> tuple[int, float]:
    """(column, sign) of the latent that orders (N, k) content best by known order."""
    ranks = np.nan_to_num([rank_correlation(one, order) for one in content.T])
    best = int(np.argmax(np.abs(ranks)))
    return best, -1.0 if ranks[best] < 0 else 1.0


def errors_deg(
    told_rad: NDArray[np.floating], true_rad: NDArray[np.floating]
) -> NDArray[np.float64]:
    """(N,) how far orientations are off, modulo 120°."""
    off = (told_rad - true_rad).astype(np.float64)
    return np.degrees(np.abs(off - PERIOD_RAD * np.round(off / PERIOD_RAD)))


def mean_offset_rad(
    from_rad: NDArray[np.floating], to_rad: NDArray[np.floating]
) -> float:
    """Mean of what leads from one angle to the other, modulo 2π/3, ± π/3."""
    off = (to_rad - from_rad).astype(np.float64)
    turned = np.exp(1j * SYMMETRY * off[np.isfinite(off)])
    return float(np.angle(turned.sum())) / SYMMETRY
