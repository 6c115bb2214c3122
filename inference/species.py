"""C or Si: a probability from the network and the brightness, not the larger of two."""

import numpy as np
from numpy.typing import NDArray

from inference.card import SiliconRule

LARGEST_ODDS = 12.0
"""Log-odds of a share beyond which a network says no more than "surely"."""
DIMMEST = 0.05
"""Relative to C: brightness of an atom that the frame does not show at all."""


def silicon_probability(
    share: NDArray[np.float32], brightness: NDArray[np.floating], rule: SiliconRule
) -> NDArray[np.float64]:
    """(N,) calibrated probability, 0..1, that an atom is Si.

    Parameters
    ----------
    share
        (N,): Si's part of the network's probability, 0..1.
    brightness
        (N,): relative to C; NaN where it was not measured.
    """
    odds = share_odds(share)
    constant, of_share = rule.seen
    seen = constant + of_share * odds
    constant, of_share, of_brightness = rule.measured
    measured = constant + of_share * odds + of_brightness * log_brightness(brightness)
    odds = np.where(np.isnan(brightness), seen, measured)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float64)


def share_odds(share: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,) log-odds of shares of 0..1, within ± `LARGEST_ODDS`."""
    with np.errstate(divide="ignore"):
        odds = np.log(share, dtype=np.float64) - np.log1p(-share, dtype=np.float64)
    return np.asarray(np.clip(odds, -LARGEST_ODDS, LARGEST_ODDS))


def log_brightness(brightness: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) logarithm of brightness relative to C; NaN where it is unknown."""
    return np.asarray(np.log(np.maximum(brightness, DIMMEST)), np.float64)
