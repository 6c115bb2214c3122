"""How bright a frame is at the atoms of a honeycomb, between them, and in its hollows.

Everything is a ratio: neither scale nor offset of the grey values matters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.honeycomb import Honeycomb

STEP_BONDS = 0.1
"""Between the nine pixels whose mean is the brightness of a place."""
DIMMEST, BRIGHTEST = 0.05, 0.9
"""Quantiles between which an atom is an ordinary one: neither Si nor contamination."""
OUTLIER_SPREADS = 4.0
"""Alternation is that of most atoms: Si counts no more than this many spreads."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """What the brightness of the whole atoms says; NaN where nothing can be said."""

    merging: float
    """Brightness half way between neighbours, above that of the hollow amid a ring,
    as a share of that at atoms: 0.25, 0.55 and 0.84 for Gaussian probes of 0.075, 0.10
    and 0.145 nm (full width at half maximum); towards 0.89 for wide ones."""
    merging_sigma: float
    """Standard error of that, from the spread among atoms."""
    alternation: float
    """Correlation between second neighbours of the difference from the neighbours: 1
    where every other atom is brighter, 0.1 where brightness is that of noise."""
    alternation_depth: float
    """Half the difference of the two kinds of atom, as a share of `merging`'s whole."""


NOTHING_SEEN = Contrast(np.nan, np.nan, np.nan, np.nan)


def contrast_of(image: NDArray[np.float32], honeycomb: Honeycomb) -> Contrast:
    """Contrast between the places of the honeycomb.

    Parameters
    ----------
    image
        (rows, cols): the frame in which the honeycomb's positions are.
    """
    places = np.flatnonzero(honeycomb.whole)
    if len(places) < 3:
        return NOTHING_SEEN
    step = max(1, round(STEP_BONDS * honeycomb.bond))
    grey = _brightness(image, honeycomb.rowcol, step)
    low, high = np.quantile(grey[places], (DIMMEST, BRIGHTEST))
    ordinary = places[(grey[places] >= low) & (grey[places] <= high)]
    rowcol = honeycomb.rowcol[ordinary]
    around = honeycomb.rowcol[honeycomb.nearest[ordinary]]
    # Where its neighbours have the atom: its own place was chosen for being bright, if
    # only by noise.
    site = around.mean(axis=1)
    hollow = _brightness(image, 2 * site[:, None] - around, step)
    between = _brightness(image, (rowcol[:, None] + around) / 2, step)
    rise = _brightness(image, site, step) - hollow.mean(axis=1)
    height = float(rise.mean())
    if not height > 0:
        return NOTHING_SEEN
    covariance, variance = _second_neighbours(grey, honeycomb)
    return Contrast(
        merging=float(between.mean() - hollow.mean()) / height,
        merging_sigma=float(rise.std()) / np.sqrt(len(rise)) / height,
        alternation=covariance / variance if variance > 0 else 0.0,
        alternation_depth=float(np.sqrt(max(covariance, 0.0))) / 2 / height,
    )


def _brightness(
    image: NDArray[np.float32], rowcol: NDArray[np.float64], step: int
) -> NDArray[np.float64]:
    """(...,): mean of 3 x 3 pixels, `step` apart, about each of (..., 2) places."""
    rows, cols = image.shape
    row = np.rint(rowcol[..., 0]).astype(np.intp).clip(step, rows - 1 - step)
    col = np.rint(rowcol[..., 1]).astype(np.intp).clip(step, cols - 1 - step)
    steps = step * np.arange(-1, 2)
    offsets = (steps[:, None] * cols + steps).ravel()
    grey = image.ravel().take((row * cols + col)[..., None] + offsets)
    return np.asarray(grey.mean(axis=-1, dtype=np.float64))


def _second_neighbours(
    grey: NDArray[np.float64], honeycomb: Honeycomb
) -> tuple[float, float]:
    """Covariance of second neighbours, and variance, of the excess over neighbours.

    The excess, unlike brightness, does not follow clouds that vary slowly.
    """
    excess = grey - grey[honeycomb.nearest].mean(axis=1)
    spread = np.median(np.abs(excess[honeycomb.whole]))
    limit = OUTLIER_SPREADS * spread
    excess = np.where(honeycomb.whole, excess.clip(-limit, limit), 0.0)
    here = np.flatnonzero(honeycomb.whole)
    second = honeycomb.nearest[honeycomb.nearest[here]].reshape(len(here), 9)
    other = honeycomb.whole[second] & (second != here[:, None])
    product = (excess[here, None] * excess[second])[other]
    covariance = float(product.mean()) if len(product) else 0.0
    return covariance, float(excess[here].var())
