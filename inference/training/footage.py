"""Simulated movies to train on, and how much of them."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from streamer.simulator.microscope import Microscope, Probe
from streamer.simulator.movie import Exposure, Movie, simulate
from streamer.simulator.sheet import Growth


@dataclass(frozen=True, slots=True)
class Footage:
    """Movies of which sub-images are cut."""

    movie: Callable[[np.random.Generator], Movie]
    """Draws a movie's settings."""
    movies: int
    every: int = 1
    """Of so many frames one is taken: neighbours are alike."""
    share: float = 1.0
    """Of a frame's sub-images that are taken, 0..1."""

    def shot(self, rng: np.random.Generator) -> Iterator["Shot"]:
        """All movies, each with what is drawn in it."""
        for _ in range(self.movies):
            yield Shot(self, self.movie(rng), int(rng.integers(2**31)))


@dataclass(frozen=True, slots=True)
class Shot:
    """One of the movies."""

    footage: Footage
    movie: Movie
    seed: int

    def exposures(self) -> Iterator[tuple[Exposure, np.random.Generator]]:
        """Its frames that are taken, each with what draws its sub-images."""
        taken = islice(simulate(self.movie, self.seed), 0, None, self.footage.every)
        for exposure in taken:
            yield exposure, np.random.default_rng([self.seed, exposure.index])

    def drawn(self, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """The taken ones of a frame's `count` sub-images: numbers, ascending."""
        taken = math.ceil(self.footage.share * count)
        return np.sort(rng.permutation(count)[:taken])


def random_movie(rng: np.random.Generator) -> Movie:
    """A movie of 8 nm at a dose of 1/4 to 4 times the nominal."""
    dose = math.exp(rng.uniform(math.log(0.25), math.log(4)))
    microscope = replace(
        Microscope(),
        shape=(512, 512),
        field_nm=8.0,
        frame_time_s=33.5 / 4 * dose,
        probe=Probe(fwhm_nm=rng.uniform(0.09, 0.13)),
    )
    return replace(
        Movie(),
        frames=int(rng.integers(20, 56)),
        microscope=microscope,
        blob_radius_nm=0.6,
    )


def random_movies(count: int) -> Footage:
    """Small movies at many doses, probes and stages of damage."""
    return Footage(random_movie, count, every=9)


def paper_movies(
    count: int, frames: int, share: float, orientation_deg: float | None = None
) -> Footage:
    """Movies as the paper's was: 16 nm at the nominal dose, of one orientation each.

    Any, unless it is given: see `Growth`.
    """
    growth = Growth(orientation_deg=orientation_deg)
    movie = replace(Movie(), frames=frames, growth=growth)
    return Footage(lambda _rng: movie, count, share=share)
