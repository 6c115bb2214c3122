"""When to call an atom Si: a probability learnt from simulated frames.

The network's share alone over-calls Si, and by how much depends on how it was trained.
A logistic function of that share and of the brightness which the fit measures is
calibrated on movies that trained nothing else.
"""

import math
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from inference.card import DcnnCard, SiliconRule
from inference.locate import Peaks, locate
from inference.matching import MATCH_NM, match
from inference.positions import SILICON
from inference.refinement.refine import refine
from inference.segment import segment
from inference.species import log_brightness, share_odds, silicon_probability
from inference.tiles import Network
from inference.training.footage import random_movie
from inference.training.progress import Progress
from streamer.simulator.movie import Exposure, Movie, simulate

SILICON_PER_NM2 = 0.6
"""More than in a real sheet, so that few movies show many."""
EVERY = 12
"""Frames of a movie from one that is used to the next."""
CROWDED = 1.3
"""Times the true number of atoms: a network that sees more has learnt too little for a
fit of what it sees to be worth its time and memory."""
STEPS = 30
RIDGE = 1e-3
"""Keeps weights finite where the two species do not overlap at all."""


@dataclass(frozen=True, slots=True)
class CalibrationRecipe:
    """Everything that the decisions about atoms depend on, besides the network."""

    threshold: float = 0.35
    """Smallest probability at the centre of an atom."""
    movies: int = 16
    """Simulated movies that show what is Si."""
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Detected atoms of which it is known what they are."""

    share: NDArray[np.float32]
    """(N,): Si's part of the network's probability."""
    brightness: NDArray[np.float64]
    """(N,): relative to C; NaN where the fit did not measure it."""
    silicon: NDArray[np.bool_]
    """(N,): really Si. Where there is no atom at all: not Si."""


def simulate_sightings(
    recipe: CalibrationRecipe, card: DcnnCard, network: Network, progress: Progress
) -> Sightings:
    """Atoms of small movies at many doses, probes, contrasts and stages of damage."""
    # Not the movies that sub-images come from, though the seed be the same.
    rng = np.random.default_rng([recipe.seed, 0x51])
    parts = []
    for number in range(recipe.movies):
        exposures = simulate(_movie(rng), int(rng.integers(2**31)))
        parts += [
            sightings_of(exposure, card, network)
            for exposure in islice(exposures, 2, None, EVERY)
        ]
        progress(number + 1, recipe.movies)
    return Sightings(
        share=np.concatenate([part.share for part in parts]),
        brightness=np.concatenate([part.brightness for part in parts]),
        silicon=np.concatenate([part.silicon for part in parts]),
    )


def _movie(rng: np.random.Generator) -> Movie:
    movie = random_movie(rng)
    return replace(
        movie,
        growth=replace(movie.growth, silicon_per_nm2=SILICON_PER_NM2),
        microscope=replace(movie.microscope, z_exponent=rng.uniform(1.6, 2.1)),
    )


def sightings_of(exposure: Exposure, card: DcnnCard, network: Network) -> Sightings:
    """The atoms that are found in one frame, but for those under contamination."""
    size = exposure.microscope.pixel_size_nm
    maps = segment(exposure.image, size, card, network)
    if maps is None:
        raise ValueError("a simulated frame too small for the network")
    peaks = locate(maps.carbon, maps.silicon, card)
    start = maps.grid.to_frame(peaks.rowcol)
    truth = exposure.truth
    true_px = np.stack([truth.row_px, truth.col_px], axis=1)
    pairs = match(start, true_px, MATCH_NM / size)
    silicon, counts = np.zeros(len(peaks), bool), np.ones(len(peaks), bool)
    silicon[pairs.found] = truth.species[pairs.true] == SILICON
    counts[pairs.found] = ~truth.hidden[pairs.true]
    return Sightings(
        peaks.silicon_share[counts],
        _brightness(exposure, start, peaks)[counts],
        silicon[counts],
    )


def _brightness(
    exposure: Exposure, start: NDArray[np.float64], peaks: Peaks
) -> NDArray[np.float64]:
    """(N,): relative to C, where the fit can measure it; else NaN."""
    unknown = np.full(len(peaks), math.nan)
    if len(peaks) > CROWDED * len(exposure.truth):
        return unknown
    bright = silicon_probability(peaks.silicon_share, unknown, SiliconRule()) > 0.5
    species = bright.astype(np.uint8) * SILICON
    size = exposure.microscope.pixel_size_nm
    fitted = refine(exposure.image, start, species, peaks.score, size)
    return fitted.amplitude[: len(peaks)]


def fit_rule(seen: Sightings) -> SiliconRule:
    """The rule under which these atoms are most likely, and its best threshold."""
    odds = share_odds(seen.share)
    known = np.isfinite(seen.brightness)
    bright = log_brightness(seen.brightness[known])
    rule = SiliconRule(
        seen=_logistic([odds], seen.silicon),
        measured=_logistic([odds[known], bright], seen.silicon[known]),
    )
    probability = silicon_probability(seen.share, seen.brightness, rule)
    return rule.model_copy(update={"threshold": _balance(probability, seen.silicon)})


def _logistic(
    columns: list[NDArray[np.float64]], target: NDArray[np.bool_]
) -> tuple[float, ...]:
    """Constant and weights of a logistic regression, by Newton's method."""
    design = np.stack([np.ones(len(target)), *columns], axis=1)
    weights = np.zeros(design.shape[1])
    ridge = RIDGE * np.eye(len(weights))
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (target - probability) - ridge @ weights
        spread = probability * (1 - probability)
        weights += np.linalg.solve((design.T * spread) @ design + ridge, gradient)
    return tuple(round(float(weight), 4) for weight in weights)


def _balance(probability: NDArray[np.float64], silicon: NDArray[np.bool_]) -> float:
    """Threshold at which as many C are called Si as Si are called C."""
    total = np.count_nonzero(silicon)
    if not 0 < total < len(silicon):
        return 0.5
    limits = np.sort(probability)[[-total - 1, -total]]
    return round(float(np.clip(limits.mean(), 0.05, 0.95)), 3)
