"""Positions of the atoms of a frame by maximum likelihood, with their uncertainty."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import ndtr
from threadpoolctl import ThreadpoolController

from inference.refinement.canvas import Canvas
from inference.refinement.excerpt import FEWEST_PIXELS
from inference.refinement.fit import Fit, approach, measure
from inference.refinement.hot_pixels import without_hot_pixels
from inference.refinement.image_model import AtomState
from inference.refinement.probe import Probe
from inference.refinement.situation import finer_view, first_guess, on_finer, view_of
from streamer.atoms import SPECIES

FINE_NM = 0.0165
"""Pixel at which positions are measured: a probe of 0.1 nm covers some thirty of
these, and finer ones would cost time and tell nothing."""
COARSE_NM = 0.033
"""Pixel at which the probe is found and the atoms make their first steps, at a quarter
of the cost."""
FEWEST = 12
"""Atoms below which probe and noise cannot be told from the frame."""
MOST_PER_NM2 = 80.0
"""Twice as many as in graphene: so many are not there, and a fit of them all together
would take more memory than there is."""
SMALLEST_NM = 1.0
"""Shortest side of a frame that shows more of the sheet than of its border."""
WIDEST_PROBE_NM = 0.17
"""Full width at half maximum from which on neighbours, 0.142 nm apart, merge."""
NOISIEST_NM = 0.026
"""Median standard uncertainty along an axis from which on the network knows better."""
FARTHEST_NM = 0.072
"""From where the network saw an atom, half a bond: beyond, the fit has lost it."""
NETWORK_OFF_NM = 0.015
"""How far the network is usually off along an axis, where atoms are displaced."""
BELIEVED_SIGMA = 3.4
"""What is farther off than so many of both uncertainties together (one atom in 300 by
chance) has been confused with a neighbour."""
BORDER_NM = 0.1
"""Nearer to the frame's border the network knows better: atoms beyond it, which nobody
has seen, shine in, and would draw those inside outwards."""
CLOSEST_NM = 0.04
"""Two atoms that the fit brings nearer than this have been confused by it."""
DIMMEST = 0.35
"""Relative to C: what is not as bright is no atom, where the frame can tell."""
VAGUE = 0.5
"""Standard uncertainty of a brightness, relative to C, that is worth nothing: Si is
about four times as bright as C."""
SURE_SIGMA = 2.5
"""A C atom of normal brightness is not that many uncertainties from `DIMMEST`."""


class Fate(IntEnum):
    """What became of an atom."""

    REFINED = 0
    KEPT = 1
    """Where the network saw it, without uncertainty: the fit could not do better."""
    PRUNED = 2
    """No atom: there is nothing in the frame that is bright enough."""
    ADDED = 3
    """The network has missed it: the fit leaves over what has the shape of an atom."""


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """The atoms that were given, in their order, and behind them those `ADDED`.

    So there may be more than were given. An added atom is C or Si by its brightness;
    its score is the probability that it is bright enough not to be pruned, as far as
    the frame's noise is concerned.
    """

    rowcol: NDArray[np.float64]
    """(N, 2): in pixels of the frame."""
    sigma: NDArray[np.float64]
    """(N, 2): standard uncertainty along rows and columns, pixels; NaN if unknown."""
    amplitude: NDArray[np.float64]
    """(N,): brightness relative to the median C atom; NaN if unknown."""
    species: NDArray[np.uint8]
    score: NDArray[np.float32]
    fate: NDArray[np.uint8]
    """(N,): of `Fate`."""
    probe: Probe | None
    """As found in the frame; None where the frame could not be fitted."""

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True, slots=True)
class Detections:
    """What the network says of a frame."""

    rowcol: NDArray[np.floating]
    species: NDArray[np.uint8]
    score: NDArray[np.float32]


def refine(
    image: NDArray[np.float32],
    start: NDArray[np.floating],
    species: NDArray[np.uint8],
    score: NDArray[np.float32],
    pixel_size_nm: float,
) -> Refined:
    """The atoms where a fit of all of them together to the frame has them.

    Parameters
    ----------
    image
        (rows, cols): the frame as it came, finite; grey values may have any scale and
        offset, since their noise is measured in the frame itself.
    start
        (N, 2): (row, col) in pixels of the frame, where the network saw atoms.
    species, score
        (N,): what the network says of them.

    Returns
    -------
    The atoms given and those they lack; where the fit makes no sense (too few atoms or
    too many, too much noise, neighbours not resolved) those given, as the network had
    them, without uncertainty. The same input gives the same result, bit for bit.

    Notes
    -----
    Fisher scoring on the likelihood of all grey values, given positions and amplitudes
    of all atoms; weights come from the expected image, never from the frame's noise.
    """
    given = Detections(start, species, score)
    most = MOST_PER_NM2 * image.size * pixel_size_nm**2
    if not FEWEST <= len(start) <= most:
        return _as_given(given)
    # Many small products: threads would spend their time waiting for each other.
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        try:
            fitted = _fit_frame(image, given, pixel_size_nm, Probe())
        except np.linalg.LinAlgError:
            fitted = None  # the fit went astray
    if fitted is None:
        return _as_given(given)
    fit, everything = fitted
    cut = _at_border(everything.rowcol, image.shape, BORDER_NM / pixel_size_nm)
    refined = _judge(fit, everything, cut, pixel_size_nm)
    added = np.arange(len(refined)) >= len(given.score)
    return _without_doubtful(refined, added)


def _fit_frame(
    image: NDArray[np.float32], given: Detections, pixel_size_nm: float, probe: Probe
) -> tuple[Fit, Detections] | None:
    """The fit and where its atoms started, or None where it makes no sense."""
    grey = _standard(without_hot_pixels(image))
    if grey is None or min(image.shape) * pixel_size_nm < SMALLEST_NM:
        return None
    coarse = view_of(grey, pixel_size_nm, COARSE_NM, given.rowcol)
    if np.count_nonzero(coarse.usable) < FEWEST_PIXELS:
        return None
    silicon = given.species == SPECIES.index("Si")
    guess = first_guess(coarse, given.rowcol, silicon, probe)
    if not guess.carbon > 0:
        return None
    near = approach(coarse, guess)
    fine = finer_view(grey, pixel_size_nm, FINE_NM, coarse)
    fit = measure(fine, on_finer(near, coarse.canvas, fine.canvas))
    size = fine.canvas.pixel_size_nm
    blurred = fit.final.optics.probe(size).fwhm_nm > WIDEST_PROBE_NM
    # Not "more than": what is not a number is not good enough either.
    sharp = np.median(np.sqrt(fit.variance)) * size < NOISIEST_NM
    if blurred or not sharp:
        return None
    return fit, _with_added(given, near.atoms, coarse.canvas)


def _with_added(given: Detections, near: AtomState, canvas: Canvas) -> Detections:
    """What was given, and behind it the rest of the atoms of the fit."""
    more = near.rowcol[len(given.score) :]
    species = near.silicon[len(given.score) :] * np.uint8(SPECIES.index("Si"))
    return Detections(
        np.concatenate([given.rowcol, canvas.to_frame(more)]),
        np.concatenate([given.species, species.astype(np.uint8)]),
        np.concatenate([given.score, np.zeros(len(more), np.float32)]),
    )


def _without_doubtful(refined: Refined, added: NDArray[np.bool_]) -> Refined:
    """Atoms the fit has added itself are only those of which it is sure in the end."""
    stay = ~added | (refined.fate == Fate.REFINED)
    fate = np.where(added, Fate.ADDED, refined.fate).astype(np.uint8)
    return Refined(
        rowcol=refined.rowcol[stay],
        sigma=refined.sigma[stay],
        amplitude=refined.amplitude[stay],
        species=refined.species[stay],
        score=refined.score[stay],
        fate=fate[stay],
        probe=refined.probe,
    )


def _standard(image: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Grey values of ordinary size, so that no square of them overflows."""
    deviation = float(image.std(dtype=np.float64))
    if not deviation > 0:
        return None
    mean = image.mean(dtype=np.float64)
    return np.asarray((image - np.float32(mean)) / np.float32(deviation), np.float32)


def _at_border(
    start: NDArray[np.floating], shape: tuple[int, ...], reach_px: float
) -> NDArray[np.bool_]:
    """(N,): seen nearer to the border; where the fit has them would favour one side."""
    to_border = np.minimum(start + 0.5, np.array(shape) - 0.5 - start).min(axis=1)
    return np.asarray(to_border < reach_px)


def _judge(
    fit: Fit, given: Detections, cut: NDArray[np.bool_], pixel_size_nm: float
) -> Refined:
    canvas = fit.view.canvas
    rowcol = canvas.to_frame(fit.final.atoms.rowcol)
    sigma = np.sqrt(fit.variance) * canvas.binning
    kept = cut | _lost(rowcol, given.rowcol, sigma, pixel_size_nm)
    kept |= ~np.isfinite(sigma).all(axis=1)
    fate = np.where(_no_atom(fit), Fate.PRUNED, Fate.REFINED)
    score = np.where(given.score > 0, given.score, _certainty(fit))
    return Refined(
        rowcol=np.where(kept[:, None], given.rowcol, rowcol),
        sigma=np.where(kept[:, None], np.nan, sigma),
        amplitude=np.where(kept | _vague(fit), np.nan, fit.amplitude),
        species=given.species,
        score=score.astype(np.float32),
        fate=np.where(kept, Fate.KEPT, fate).astype(np.uint8),
        probe=fit.final.optics.probe(canvas.pixel_size_nm),
    )


def _lost(
    rowcol: NDArray[np.float64],
    start: NDArray[np.floating],
    sigma: NDArray[np.float64],
    pixel_size_nm: float,
) -> NDArray[np.bool_]:
    """(N,): atoms that went astray, and both of a pair that ran into each other."""
    unsure = np.hypot(sigma.mean(axis=1) * pixel_size_nm, NETWORK_OFF_NM)
    farthest = np.minimum(BELIEVED_SIGMA * unsure, FARTHEST_NM)
    lost = np.linalg.norm(rowcol - start, axis=1) * pixel_size_nm > farthest
    reach = CLOSEST_NM / pixel_size_nm
    pairs = KDTree(rowcol).query_pairs(reach, output_type="ndarray")
    lost[pairs.ravel()] = True
    return np.asarray(lost)


def _vague(fit: Fit) -> NDArray[np.bool_]:
    """(N,): of these the frame does not tell how bright they are."""
    # Not "more than": what is not a number is not known either.
    return ~(np.sqrt(fit.amplitude_variance) < VAGUE)


def _no_atom(fit: Fit) -> NDArray[np.bool_]:
    """(N,): so dim that it is none, where noise alone would not make a C that dim."""
    doubt = SURE_SIGMA * np.sqrt(fit.amplitude_variance)
    return np.asarray((fit.amplitude < DIMMEST) & (1 - doubt > DIMMEST))


def _certainty(fit: Fit) -> NDArray[np.float64]:
    """(N,): probability that an atom is not as dim as what is pruned."""
    above = (fit.amplitude - DIMMEST) / np.sqrt(fit.amplitude_variance)
    return np.asarray(ndtr(above))


def _as_given(given: Detections) -> Refined:
    count = len(given.score)
    return Refined(
        rowcol=np.asarray(given.rowcol, np.float64),
        sigma=np.full((count, 2), np.nan),
        amplitude=np.full(count, np.nan),
        species=given.species,
        score=given.score,
        fate=np.full(count, Fate.KEPT, np.uint8),
        probe=None,
    )
