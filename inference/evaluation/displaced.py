"""Frames of sheets whose atoms are displaced, and how well that could be known."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.refinement.bound import position_bound
from inference.refinement.image_model import Optics
from streamer.simulator.microscope import (
    FWHM_PER_SIGMA,
    Microscope,
    detect,
    expected_counts,
    row_jitter,
    scanned_positions,
)
from streamer.simulator.movie import background_counts
from streamer.simulator.sheet import Growth, grow_sheet


@dataclass(frozen=True, slots=True)
class Disorder:
    """How atoms are displaced."""

    name: str
    random_pm: float = 0.0
    """Standard deviation along each axis, of each atom by itself."""
    strain: float = 0.0
    """Largest strain of a sine wave of displacements."""
    period_nm: float = 1.0
    """Of that wave."""

    def moves_nm(
        self, xy_nm: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """(N, 2): displacements of atoms at these positions.

        Waves run, and push, in random directions.
        """
        along, push = (_direction(rng) for _ in range(2))
        phase = 2 * math.pi * (xy_nm @ along / self.period_nm + rng.random())
        amplitude = self.strain * self.period_nm / (2 * math.pi)
        scatter = rng.normal(0, 1e-3 * self.random_pm, xy_nm.shape)
        return np.asarray(np.outer(amplitude * np.sin(phase), push) + scatter)


DISORDERS = (
    Disorder("random 15 pm", random_pm=15),
    Disorder("2 % strain over 4 nm", strain=0.02, period_nm=4),
    Disorder("2 % strain over 8 nm", strain=0.02, period_nm=8),
)


@dataclass(frozen=True, slots=True, eq=False)
class DisplacedScene:
    """One frame, and all that is true of it; positions in its pixels."""

    image: NDArray[np.float32]
    pixel_size_nm: float
    sites: NDArray[np.float64]
    """(N, 2): (row, col) where the lattice would have the atoms."""
    true: NDArray[np.float64]
    """(N, 2): where they are."""
    bound: NDArray[np.float64]
    """(N, 2): smallest variance of an unbiased estimate, pixels²."""


def displaced_scene(
    disorder: Disorder, microscope: Microscope, seed: int
) -> DisplacedScene:
    """A sheet with holes and Si, without contamination, displaced and exposed."""
    rng = np.random.default_rng(seed)
    sheet = grow_sheet(Growth(field_nm=microscope.field_nm), rng)
    moved = sheet.moved(sheet.xy_nm + disorder.moves_nm(sheet.xy_nm, rng))
    sway = rng.uniform(0, 2 * math.pi)
    sites = scanned_positions(sheet.xy_nm, microscope, sway)
    true = scanned_positions(moved.xy_nm, microscope, sway)
    weights = microscope.weights(sheet.species)
    jitter = row_jitter(microscope.scan, microscope.shape[0], rng)
    mean = expected_counts(true, weights, microscope, jitter)
    mean += np.float32(background_counts(microscope))
    bound = position_bound(
        true,
        weights * microscope.counts_per_carbon,
        optics_of(microscope),
        mean + np.float32(microscope.read_noise**2),
    )
    inside = ((true >= -0.5) & (true < np.array(microscope.shape) - 0.5)).all(axis=1)
    return DisplacedScene(
        image=detect(mean, microscope, rng),
        pixel_size_nm=microscope.pixel_size_nm,
        sites=sites[inside],
        true=true[inside],
        bound=bound[inside],
    )


def optics_of(microscope: Microscope) -> Optics:
    """What the fit would find if it knew the microscope."""
    probe, size = microscope.probe, microscope.pixel_size_nm
    sigma = probe.fwhm_nm / FWHM_PER_SIGMA / size
    return Optics(
        sigma=(sigma * (1 - probe.astigmatism), sigma * (1 + probe.astigmatism)),
        tail_fraction=probe.tail_fraction,
        tail_sigma=probe.tail_sigma_nm / size,
        background=background_counts(microscope),
    )


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.uniform(0, 2 * math.pi)
    return np.array([math.cos(angle), math.sin(angle)])
