"""The order of the fit: the probe first, then all atoms, coarse pixels before fine."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.refinement.excerpt import excerpt, with_shared
from inference.refinement.image_model import Optics
from inference.refinement.linear_system import LinearSystem
from inference.refinement.local_shift import LEAST_EXCESS, followed_shift, local_shift
from inference.refinement.missed import with_missed
from inference.refinement.normal_equations import TINY, Blocks, covariance
from inference.refinement.scan_jitter import jitter_variance
from inference.refinement.shared_parameters import (
    WIDEST_NM,
    carbon_amplitude,
    estimate,
    with_noise,
)
from inference.refinement.situation import Situation, View
from inference.refinement.sweep import (
    Prediction,
    amplitude_prior,
    blocks_of,
    clouds_of,
    compared,
    predict,
    sweep,
)

PROBE_STEPS = 3
COARSE_PIXELS = 2**16
"""Coarse ones that tell the probe well enough to begin with."""
FINE_PIXELS = 2**18
"""That tell the probe as well as it need be known, and whether the frame is a sum of
atoms."""
COARSE_SWEEPS = 3
"""More would follow the noise: pairs of close atoms swap places."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A frame fitted, and how sure that is."""

    view: View
    final: Situation
    variance: NDArray[np.float64]
    """(N, 2): of each position along (row, col), canvas pixels²; infinite where the
    frame says nothing of it."""
    amplitude: NDArray[np.float64]
    """(N,): relative to C, from the frame alone, without what was assumed of C."""
    amplitude_variance: NDArray[np.float64]
    """(N,)"""


def approach(view: View, start: Situation) -> Situation:
    """Probe and noise, and positions to within a fraction of their uncertainty.

    Atoms that were missed stand behind those of the start.
    """
    part, there = excerpt(view, start, COARSE_PIXELS)
    now = there
    for _ in range(PROBE_STEPS - 1):
        now = _with_shared_parameters(part, now)
    now = _with_shared_parameters(view, with_shared(start, there, now))
    now, seen = _with_clouds(view, now)
    system = LinearSystem.of(blocks_of(seen, now))
    for _ in range(COARSE_SWEEPS - 1):
        now = sweep(view, now, seen, system)
        seen = predict(view, now)
    known = len(now.atoms)
    now = with_missed(seen, now, view)
    if len(now.atoms) > known:
        seen = predict(view, now)
        system = LinearSystem.of(blocks_of(seen, now))
    now = sweep(view, now, seen, system)
    return replace(now, carbon=carbon_amplitude(now.atoms))


def measure(view: View, start: Situation) -> Fit:
    """Positions and their uncertainty, from a start that is nearly there."""
    part, there = excerpt(view, start, FINE_PIXELS)
    now = with_shared(start, there, _with_final_probe(part, there))
    now, seen = _with_clouds(view, now)
    blocks = blocks_of(seen, now)
    jitter = jitter_variance(seen, now.optics)
    now = sweep(view, now, seen, LinearSystem.of(blocks))
    return _followed(_fit(view, now, blocks, jitter))


def _with_shared_parameters(view: View, now: Situation) -> Situation:
    """Probe, background, brightness and noise, one step nearer to the frame's."""
    seen = predict(view, now)
    return estimate(seen, with_noise(seen, now, view), view)


def _followed(fit: Fit) -> Fit:
    """The same, where the frame is not a sum of atoms: nearer to what is seen."""
    view, now = fit.view, fit.final
    if not _moves_in_pieces(view, now):
        return fit
    known = np.isfinite(fit.variance).all(axis=1)
    rest = followed_shift(predict(view, now), now, known, view.canvas.pixel_size_nm)
    atoms = replace(now.atoms, rowcol=now.atoms.rowcol + rest.shift)
    return replace(
        fit,
        final=replace(now, atoms=atoms),
        variance=fit.variance + rest.variance[:, None],
    )


def _moves_in_pieces(view: View, now: Situation) -> bool:
    """Whether an excerpt of the frame has shifts to be followed."""
    part, now = excerpt(view, now, FINE_PIXELS)
    known = _grey_at(part.usable, now.atoms.rowcol) > 0
    rest = local_shift(predict(part, now), now)
    return rest.excess(known) > LEAST_EXCESS


def _with_clouds(view: View, now: Situation) -> tuple[Situation, Prediction]:
    seen = predict(view, now)
    lacking = clouds_of(seen, view)
    now = with_noise(seen, replace(now, clouds=now.clouds + lacking), view)
    return now, compared(view, now, seen.stamps, seen.core, seen.tail)


def _with_final_probe(view: View, start: Situation) -> Situation:
    """The probe once more, from fitted positions.

    These follow the noise, which makes the core look narrower by just their variance
    (J. Neyman and E. L. Scott, Econometrica 16, 1, 1948).
    """
    now, seen = _with_clouds(view, start)
    blocks = blocks_of(seen, now)
    now = sweep(view, now, seen, LinearSystem.of(blocks))
    brighter = carbon_amplitude(now.atoms) / carbon_amplitude(start.atoms)
    now = replace(now, carbon=now.carbon * brighter)
    now = _with_shared_parameters(view, now)
    spread = np.median(np.einsum("nii->ni", covariance(blocks))[:, :2], axis=0)
    widest = WIDEST_NM / view.canvas.pixel_size_nm
    row, col = np.minimum(np.sqrt(np.square(now.optics.sigma) + spread), widest)
    return replace(now, optics=replace(now.optics, sigma=(float(row), float(col))))


def _fit(view: View, now: Situation, blocks: Blocks, jitter: float) -> Fit:
    variance = np.einsum("nii->ni", covariance(blocks))
    positions = _honest(variance[:, :2], now.optics)
    positions[:, 1] += jitter
    positions[_grey_at(view.usable, now.atoms.rowcol) == 0] = np.inf
    expected, prior = amplitude_prior(now)
    # What the frame alone says: the prior taken away from both value and weight.
    known = np.maximum(1 / np.maximum(variance[:, 2], TINY) - prior, 1e-3 * prior)
    fitted = now.atoms.amplitude
    amplitude = fitted - prior * (expected - fitted) / known
    carbon = carbon_amplitude(now.atoms)
    return Fit(view, now, positions, amplitude / carbon, 1 / known / carbon**2)


def _honest(variance: NDArray[np.float64], optics: Optics) -> NDArray[np.float64]:
    """Variances as they are where the fit cannot be taken as linear.

    The information counts with a core as sharp as it is; but an atom known to v only
    looks as if blurred by v, and information goes with the inverse of the core's
    variance. Where neighbours are not resolved there is no variance at all.
    """
    with np.errstate(over="ignore"):  # an atom that is hardly there is anywhere: inf
        honest = variance * (1 + variance / np.square(optics.sigma))
    return np.where(variance > 0, honest, np.inf)


def _grey_at(
    image: NDArray[np.float32], rowcol: NDArray[np.float64]
) -> NDArray[np.float32]:
    row, col = np.rint(rowcol).astype(np.intp).T
    return np.asarray(image[row, col])
