"""Figures that depend on the order of values alone, not on their scale."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu, spearmanr


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
