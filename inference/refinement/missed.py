"""Atoms that the network has missed: what of the residual has the shape of one."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.spatial import KDTree

from inference.refinement.image_model import AtomState
from inference.refinement.situation import Situation, View
from inference.refinement.sweep import Prediction

LEAST_SNR = 4.5
"""Of a peak: amplitude over its standard uncertainty, neighbours held fixed."""
LEAST_CARBON_SNR = 7.0
"""Of a C atom of normal brightness; where it is less, noise makes peaks as bright as
atoms, and the network knows better."""
LEAST_BRIGHT = 0.5
"""Relative to C."""
BRIGHT_AS_SILICON = 2.05
"""Relative to C: as much brighter than C as it is darker than Si, whose contrast is
4.2."""
APART_NM = 0.065
"""From every other atom."""
WHOLE = 0.97
"""Of an atom's image that has to be in the frame and beside contamination."""


def with_missed(seen: Prediction, now: Situation, view: View) -> Situation:
    """The same atoms, and behind them those that the residual shows besides.

    Parameters
    ----------
    seen
        Predicted from `now`, whose atoms have nearly found their places.
    """
    found = _missed(seen, now, view)
    atoms = AtomState(
        np.concatenate([now.atoms.rowcol, found.rowcol]),
        np.concatenate([now.atoms.amplitude, found.amplitude]),
        np.concatenate([now.atoms.silicon, found.silicon]),
    )
    return replace(now, atoms=atoms)


def _missed(seen: Prediction, now: Situation, view: View) -> AtomState:
    amplitude, uncertainty = _matched_filter(seen, now)
    snr = amplitude / uncertainty
    peaks = (
        (snr > LEAST_SNR)
        & (amplitude > LEAST_BRIGHT * now.carbon)
        & (now.carbon > LEAST_CARBON_SNR * uncertainty)
    )
    if peaks.any():
        peaks &= snr == maximum_filter(snr, size=3)
        peaks &= gaussian_filter(view.usable, now.optics.sigma) > WHOLE
    pixels = np.argwhere(peaks)
    apart = APART_NM / view.canvas.pixel_size_nm
    pixels = pixels[_apart(pixels, snr[peaks], now.atoms.rowcol, apart)]
    bright = amplitude[tuple(pixels.T)].astype(np.float64)
    silicon = bright > BRIGHT_AS_SILICON * now.carbon
    return AtomState(pixels.astype(np.float64), bright, silicon)


def _matched_filter(
    seen: Prediction, now: Situation
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(rows, cols): amplitude of an atom at each pixel, and its uncertainty."""
    row, col = now.optics.sigma
    core = 1 - now.optics.tail_fraction
    agreed = gaussian_filter(seen.pull, (row, col)) * np.float32(core)
    narrower = (row / math.sqrt(2), col / math.sqrt(2))
    squared = np.float32(core**2 / (4 * math.pi * row * col))
    known = np.maximum(gaussian_filter(seen.weight, narrower) * squared, 1e-30)
    return agreed / known, 1 / np.sqrt(known)


def _apart(
    peaks: NDArray[np.intp],
    snr: NDArray[np.float32],
    atoms: NDArray[np.float64],
    apart: float,
) -> NDArray[np.bool_]:
    """(N,): peaks near no atom, and of two near each other the higher one."""
    if len(peaks) == 0:
        return np.zeros(0, bool)
    keep = np.asarray(KDTree(atoms).query(peaks)[0]) > apart
    for first, second in KDTree(peaks).query_pairs(apart, output_type="ndarray"):
        keep[first if snr[first] < snr[second] else second] = False
    return keep
