"""How much content latents tell of how the lattice lies, which they should not."""

import math

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from inference.paper_methods.reading import SYMMETRY

NEIGHBOURS = 25
"""Of an atom in the space of latents, of which the mean is taken: of so many that it is
hardly noise; a twentieth of the atoms where that is less."""
FEWEST = 30
"""Atoms to learn from, and as many to measure on, below which nothing is said."""


def rotation_leak(
    content: NDArray[np.floating],
    angle_rad: NDArray[np.floating],
    held_out: NDArray[np.bool_],
) -> float:
    """R² of the lattice's direction told from content latents, on atoms held out.

    1: the content tells it exactly; 0, or a little less: not at all. An atom's cos and
    sin of three times the angle are told by the mean of its neighbours in the space of
    the latents, among the atoms that are not held out. NaN for too few atoms, or where
    all lie alike.

    Parameters
    ----------
    content
        (N, k)
    angle_rad
        (N,): direction of the bonds, modulo 2π/3.
    held_out
        (N,): atoms on which it is measured; the others are learnt from.
    """
    asked = np.stack([np.cos(SYMMETRY * angle_rad), np.sin(SYMMETRY * angle_rad)], 1)
    learnt = ~held_out
    count = int(learnt.sum())
    if (
        min(count, int(held_out.sum())) < FEWEST
        or asked[held_out].var(axis=0).sum() < 1e-3
    ):
        return math.nan
    neighbours = KNeighborsRegressor(max(1, min(NEIGHBOURS, count // 20)))
    teller = make_pipeline(StandardScaler(), neighbours)
    teller.fit(content[learnt], asked[learnt])
    told = teller.predict(content[held_out])
    return float(r2_score(asked[held_out], told, multioutput="variance_weighted"))
