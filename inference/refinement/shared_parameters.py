"""What all atoms share, from the frame: probe, background, brightness of C."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference.refinement.canvas import MARGIN_PX
from inference.refinement.image_model import AtomState, Optics
from inference.refinement.noise import noise_from_residuals
from inference.refinement.situation import Situation, View
from inference.refinement.sweep import Prediction

THINNED = 2
"""One of so many pixels along each axis is used: few numbers need no more."""
NOISE_PIXELS = 20_000
"""About as many give the noise to a per cent."""
NARROWEST_NM, WIDEST_NM = 0.02, 0.09
"""Limits of the core's width."""
LARGEST_STEP = 0.25
"""Of a variance of the core, relative to itself."""
TAIL_FRACTION, TAIL_SPREAD = 0.15, 0.03
"""What is assumed of the tail where the frame cannot tell it from background."""
LEAST_TAIL, MOST_TAIL = 0.05, 0.25


def estimate(seen: Prediction, now: Situation, view: View) -> Situation:
    """One Gauss-Newton step of core widths, tail fraction, background, brightness.

    Positions and amplitudes relative to each other stay as they are. Positions that
    scatter about the true ones make the core look wider.
    """
    step = _step(seen, now, view)
    size = view.canvas.pixel_size_nm
    optics = now.optics
    row, col = (
        _moved_sigma(sigma, by, size)
        for sigma, by in zip(optics.sigma, step[1:3], strict=True)
    )
    scale = 1 + float(np.clip(step[0], -0.7, 2))
    return replace(
        now,
        atoms=AtomState(
            now.atoms.rowcol, now.atoms.amplitude * scale, now.atoms.silicon
        ),
        carbon=now.carbon * scale,
        optics=Optics(
            (row, col),
            float(np.clip(optics.tail_fraction + step[3], LEAST_TAIL, MOST_TAIL)),
            optics.tail_sigma,
            optics.background + float(step[4]),
        ),
    )


def _moved_sigma(sigma: float, variance_step: float, pixel_size_nm: float) -> float:
    by = np.clip(variance_step / sigma**2, -LARGEST_STEP, 2 * LARGEST_STEP)
    moved = sigma * math.sqrt(1 + by)
    return float(
        np.clip(moved, NARROWEST_NM / pixel_size_nm, WIDEST_NM / pixel_size_nm)
    )


def _step(seen: Prediction, now: Situation, view: View) -> NDArray[np.float64]:
    """(5,): of scale, variance along row and col, tail fraction, background."""
    # Atoms beyond the border, which nobody has seen, reach into the frame.
    edge = MARGIN_PX + now.optics.reach
    thin = (slice(edge, -edge, THINNED), slice(edge, -edge, THINNED))
    share = now.optics.tail_fraction
    usable = view.usable[thin] > 0
    ordinary = usable & ~_around_silicon(now, view.canvas.shape)[thin]
    if np.count_nonzero(ordinary) > np.count_nonzero(usable) / 2:
        usable = ordinary
    columns = [
        ((1 - share) * seen.core + share * seen.tail)[thin],
        (1 - share) / 2 * _second_difference(seen.core, 0, edge),
        (1 - share) / 2 * _second_difference(seen.core, 1, edge),
        (seen.tail - seen.core)[thin],
        np.ones(usable.shape, np.float32),
    ]
    design = np.stack([column[usable] for column in columns]).astype(np.float64)
    matrix = (design * seen.weight[thin][usable]) @ design.T
    gradient = design @ seen.pull[thin][usable]
    known = 1 / (TAIL_SPREAD**2 * THINNED**2)
    matrix[3, 3] += known
    gradient[3] += known * (TAIL_FRACTION - share)
    return np.asarray(np.linalg.lstsq(matrix, gradient, rcond=1e-12)[0])


def _around_silicon(now: Situation, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(rows, cols): pixels of windows of Si, whose image is not that of C, but wider.

    Being bright, few of them would decide on the probe of all.
    """
    reach = 2 * now.optics.reach
    near = np.zeros(shape, bool)
    for row, col in np.rint(now.atoms.rowcol[now.atoms.silicon]).astype(np.intp):
        near[
            max(row - reach, 0) : row + reach + 1, max(col - reach, 0) : col + reach + 1
        ] = True
    return near


def _second_difference(
    image: NDArray[np.float32], axis: int, edge: int
) -> NDArray[np.float32]:
    """On the thinned pixels; half of it is the derivative by the core's variance."""
    shifted = []
    for by in (-1, 0, 1):
        part = [slice(edge, -edge, THINNED), slice(edge, -edge, THINNED)]
        part[axis] = slice(edge + by, -edge + by, THINNED)
        shifted.append(image[tuple(part)])
    before, here, after = shifted
    return np.asarray(before - 2 * here + after)


def carbon_amplitude(atoms: AtomState) -> float:
    """Median amplitude of C atoms."""
    carbon = atoms.amplitude[~atoms.silicon]
    return float(np.median(carbon if len(carbon) else atoms.amplitude))


def with_noise(seen: Prediction, now: Situation, view: View) -> Situation:
    """The same with the noise that the residuals show."""
    every = max(1, math.isqrt(seen.mean.size // NOISE_PIXELS))
    thin = (slice(None, None, every), slice(None, None, every))
    usable = view.usable[thin] > 0
    mean = seen.mean[thin][usable]
    residual = view.canvas.image[thin][usable] - mean
    # Each atom's three numbers have fitted some of the noise away.
    pixels = every**2 * len(mean)
    free = max(pixels - 3 * len(now.atoms), pixels / 2)
    fitted = math.sqrt(pixels / free)
    noise = noise_from_residuals(mean, residual * np.float32(fitted))
    return replace(now, noise=noise)
