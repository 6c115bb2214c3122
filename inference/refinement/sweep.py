"""One step of the fit: predict the frame, compare, move all atoms together."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.refinement.canvas import COARSE, MARGIN_PX, block_mean
from inference.refinement.image_model import (
    AtomState,
    Stamps,
    enlarge,
    splat,
    stamps_of,
    tails,
)
from inference.refinement.linear_system import LinearSystem
from inference.refinement.normal_equations import (
    Blocks,
    thinned_information,
    windows_of,
)
from inference.refinement.situation import Situation, View

STEP_NM = 0.0125
"""Farthest that one step moves an atom along an axis."""
CLOUD_NM = 0.44
"""Width over which the background varies: contamination too thin to be masked."""
AMPLITUDE_SPREAD = 0.12
"""How much C atoms differ in brightness before the frame has been looked at."""
SILICON_SPREAD = 1.0
"""The same for Si, whose contrast is not known beforehand, as a part of its own."""
BRIGHTEST, DARKEST = 12.0, 0.02
"""Limits of an amplitude, relative to that of C."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The expected frame and how it differs from the one that came."""

    stamps: Stamps
    core: NDArray[np.float32]
    tail: NDArray[np.float32]
    mean: NDArray[np.float32]
    weight: NDArray[np.float32]
    pull: NDArray[np.float32]
    """(rows, cols): weight x (frame - mean)."""


def predict(view: View, now: Situation) -> Prediction:
    """The frame as the fitted atoms would give it."""
    stamps = stamps_of(now.atoms.rowcol, now.optics)
    core = splat(stamps, now.atoms.amplitude, view.canvas.shape)
    tail = tails(core, view.canvas.inside, now.optics)
    return compared(view, now, stamps, core, tail)


def compared(
    view: View,
    now: Situation,
    stamps: Stamps,
    core: NDArray[np.float32],
    tail: NDArray[np.float32],
) -> Prediction:
    """The same, from what the atoms were already drawn to be."""
    share = np.float32(now.optics.tail_fraction)
    mean = core * (1 - share)
    mean += tail * share
    mean += now.clouds
    mean += np.float32(now.optics.background)
    weight = view.usable / now.noise.variance(mean)
    return Prediction(
        stamps, core, tail, mean, weight, weight * (view.canvas.image - mean)
    )


def clouds_of(seen: Prediction, view: View) -> NDArray[np.float32]:
    """What the background map still lacks: the residual, smoothed widely."""
    width = CLOUD_NM / view.canvas.pixel_size_nm / COARSE
    pull, weight = (
        gaussian_filter(block_mean(map_, COARSE), width, mode="constant")
        for map_ in (seen.pull, seen.weight)
    )
    coarse = np.where(weight > 0.02 * weight.max(), pull / np.maximum(weight, 1e-30), 0)
    return enlarge(coarse.astype(np.float32), view.canvas.shape)


def amplitude_prior(now: Situation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N,) expected amplitudes and their information (1 / variance)."""
    silicon = now.atoms.silicon
    expected = np.where(silicon, now.atoms.amplitude, now.carbon)
    spread = np.where(silicon, SILICON_SPREAD, AMPLITUDE_SPREAD)
    return expected, 1 / (spread * expected) ** 2


def blocks_of(seen: Prediction, now: Situation) -> Blocks:
    """The Fisher information where the atoms are now."""
    prior = amplitude_prior(now)[1]
    return thinned_information(seen.weight, now.atoms, now.optics, prior)


def gradient_of(seen: Prediction, now: Situation) -> NDArray[np.float64]:
    """(N, 3): of the log-likelihood by row, column, amplitude."""
    stamps = seen.stamps
    row, col = (
        np.stack([g, slope], axis=2)
        for g, slope in zip(stamps.profile, stamps.slope, strict=True)
    )
    windows = windows_of(seen.pull, stamps.corner, stamps.side)
    m = (row.transpose(0, 2, 1) @ (windows @ col)).astype(np.float64)
    core = 1 - now.optics.tail_fraction
    brightness = core * now.atoms.amplitude
    expected, prior = amplitude_prior(now)
    to_prior = prior * (expected - now.atoms.amplitude)
    return np.stack(
        [
            brightness * m[:, 1, 0],
            brightness * m[:, 0, 1],
            core * m[:, 0, 0] + to_prior,
        ],
        axis=1,
    )


def sweep(
    view: View, now: Situation, seen: Prediction, system: LinearSystem
) -> Situation:
    """All atoms after one step, which is cut where it goes too far."""
    step = system.solve(gradient_of(seen, now))
    limit = STEP_NM / view.canvas.pixel_size_nm
    rowcol = now.atoms.rowcol + np.clip(step[:, :2], -limit, limit)
    rowcol = np.clip(rowcol, MARGIN_PX - 1, np.array(view.canvas.shape) - MARGIN_PX)
    least, most = DARKEST * now.carbon, BRIGHTEST * now.carbon
    amplitude = np.clip(now.atoms.amplitude + step[:, 2], least, most)
    return replace(now, atoms=AtomState(rowcol, amplitude, now.atoms.silicon))
