"""How far the unsteadiness of the scan moves atoms along the rows.

The probe is a little off along x, anew in each row. An atom is as far off as the mean
of its rows, and no fit can tell that from a displacement; but rows disagree among each
other, which shows how large it must be.
"""

import math

import numpy as np
from numpy.typing import NDArray

from inference.refinement.canvas import MARGIN_PX
from inference.refinement.image_model import Optics
from inference.refinement.sweep import Prediction

FEWEST_ROWS = 32
MEMORIES = np.linspace(0, 0.6, 13)
"""Correlation of a row's shift with that of the row before. Of longer ones little is
left after the atoms have followed, and a noisy frame would seem to have them."""
SURE = 3.0
"""Smaller than so many of its own standard errors, the jitter is taken as none."""


def jitter_variance(seen: Prediction, optics: Optics) -> float:
    """Variance of an atom's column, pixels², that its uncertainty does not know of.

    Notes
    -----
    Each row's shift is estimated from the residuals. Atoms have already followed what
    is common to their rows, so only fast changes are left; from their spectrum that of
    a shift which remembers the one before (AR(1)) is continued to slow ones.
    """
    shift, expected_noise = _row_shifts(seen, optics)
    if len(shift) < FEWEST_ROWS:
        return 0.0
    power = np.abs(np.fft.rfft(shift)[1:]) ** 2 / len(shift) - expected_noise
    turn = 2 * math.pi * np.fft.rfftfreq(len(shift))[1:]
    followed = np.exp(-((turn * optics.sigma[0]) ** 2))
    fast = followed < 0.1
    power, cosine = power[fast], np.cos(turn)
    if len(power) < FEWEST_ROWS / 4:
        return 0.0
    error = (power + expected_noise).mean() / math.sqrt(len(power))
    if power.mean() < SURE * error:
        return 0.0
    shapes = [(1 - m**2) / (1 + m**2 - 2 * m * cosine) for m in MEMORIES]
    misfit = [_misfit(power, shape[fast]) for shape in shapes]
    shape = shapes[int(np.argmin(misfit))]
    return float(power.mean() / shape[fast].mean() * (shape * followed).mean())


def _misfit(power: NDArray[np.float64], shape: NDArray[np.float64]) -> float:
    """Squares left after scaling the shape to the power."""
    scaled = shape * (power.mean() / shape.mean())
    half = len(power) // 2
    return float((power[:half].mean() - scaled[:half].mean()) ** 2)


def _row_shifts(seen: Prediction, optics: Optics) -> tuple[NDArray[np.float64], float]:
    """(rows,) shift of each row of the frame, and the mean variance of its noise."""
    inner = slice(MARGIN_PX, -MARGIN_PX)
    core = seen.core[inner] * np.float32((1 - optics.tail_fraction) / 2)
    slope = core[:, :-2] - core[:, 2:]
    pull, weight = seen.pull[inner, 1:-1], seen.weight[inner, 1:-1]
    known = np.einsum("rc,rc->r", slope, slope * weight).astype(np.float64)
    score = np.einsum("rc,rc->r", slope, pull).astype(np.float64)
    good = known > 0.2 * np.median(known)
    if not good.any():
        return np.empty(0), 0.0
    return score[good] / known[good], float((1 / known[good]).mean())
