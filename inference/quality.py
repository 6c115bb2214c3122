"""Whether what a frame shows is what the model knows: graphene, resolved and seen.

Judged from the network's own positions, which lean towards graphene: what does not lie
as in graphene even there is none.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.brightness import Contrast, contrast_of
from inference.honeycomb import FEWEST, Honeycomb, honeycomb_of
from inference.lattice import NO_LATTICE, Lattice, lattice_of
from streamer.analysis import Flag

UNSURE_SCORE = 0.65
"""Median probability of an atom below which the network hardly tells atoms from noise:
0.4 to 0.63 where there is nothing but noise, 0.72 and more on graphene."""
FEWEST_JUDGED = 40
"""Atoms away from the border, below which the lattice is not judged."""
LEAST_ORDER = 0.6
"""Of `Honeycomb.order`: 0.82 and more on graphene, however damaged; 0.1 in noise, 0 to
0.25 on other lattices, unless they are honeycombs too."""
LEAST_WHOLE_SHARE = 0.3
"""Of `Honeycomb.whole_share`: 0.5 and more on graphene with a hundred atoms; where it
is less and `order` is not, a few atoms in noise happen to lie well."""
SCALES = (0.78, 1.25)
"""Bonds of this frame relative to those of graphene: a pixel size may be wrong by a
fifth; metal and chalcogen of MoS2, WS2 and their kin are 1.28 bonds apart and more."""
WRONG_SCALE = 0.05
"""By which bonds differ from graphene's when it is the pixel size that is wrong: strain
is at most a few hundredths, and the bond is known to one."""
ALTERNATING = 0.5
"""Of `Contrast.alternation`: below 0.4 on graphene, also beside Si; 0.87 and more where
the two sublattices are different elements."""
ALTERNATION_DEPTH = 0.1
"""Of `Contrast.alternation_depth`: 0.18 (WSe2) and more between different elements;
what is less may be the probe's own three-fold astigmatism."""
MERGED = 0.84
"""Of `Contrast.merging`, its doubt taken off: a Gaussian probe of 0.15 nm. Beyond it
positions can hardly be measured (`refinement.refine` gives up at 0.17)."""
SURE_SIGMA = 2.0
"""Standard errors by which `MERGED` is exceeded before it is said."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be said of a frame's atoms, and the lattice in which they lie."""

    doubts: tuple[Flag, ...]
    """Why they are not to be taken at face value; none if they are."""
    lattice: Lattice = NO_LATTICE
    """None is known where there are too few atoms to tell, or no honeycomb."""


def judge(
    image: NDArray[np.float32],
    rowcol: NDArray[np.float64],
    score: NDArray[np.float32],
    pixel_size_nm: float,
) -> Judged:
    """Whether the atoms of a frame are what the model knows.

    Parameters
    ----------
    image
        (rows, cols): the frame, finite.
    rowcol
        (N, 2): where the network sees atoms, in pixels of the frame.
    score
        (N,): probability of each, 0..1.

    Notes
    -----
    Whatever is a honeycomb of one kind of atom passes, at any bond length within
    `SCALES`; h-BN, whose bonds are as long, is told by its brightness from about the
    nominal dose on, if at all.
    """
    noisy = (Flag.TOO_NOISY,) if unsure(score) else ()
    if len(rowcol) < FEWEST:
        return Judged(noisy)
    honeycomb = honeycomb_of(rowcol, (image.shape[0], image.shape[1]))
    if not _can_be_judged(honeycomb):
        return Judged(noisy)
    if not _is_honeycomb(honeycomb):
        # Noise has no order either: only what is surely seen is another lattice.
        return Judged(noisy or (Flag.OTHER_LATTICE,))
    contrast = contrast_of(image, honeycomb)
    blurred = (Flag.BLURRED,) if _merged(contrast) else ()
    lattice = lattice_of(honeycomb, pixel_size_nm)
    return Judged((*_about_lattice(lattice, contrast), *blurred, *noisy), lattice)


def unsure(score: NDArray[np.float32]) -> bool:
    """Whether the network hardly tells atoms from noise, by their (N,) scores."""
    return len(score) > 0 and bool(np.median(score) < UNSURE_SCORE)


def is_graphene(image: NDArray[np.float32], honeycomb: Honeycomb) -> bool:
    """Whether enough atoms lie as in graphene, and all are of one kind, at any scale.

    Parameters
    ----------
    image
        (rows, cols): the frame in which the honeycomb's positions are.
    """
    if not (_can_be_judged(honeycomb) and _is_honeycomb(honeycomb)):
        return False
    return not _alternates(contrast_of(image, honeycomb))


def _can_be_judged(honeycomb: Honeycomb) -> bool:
    return int(np.count_nonzero(honeycomb.inner)) >= FEWEST_JUDGED


def _is_honeycomb(honeycomb: Honeycomb) -> bool:
    return honeycomb.order >= LEAST_ORDER and honeycomb.whole_share >= LEAST_WHOLE_SHARE


def _about_lattice(lattice: Lattice, contrast: Contrast) -> tuple[Flag, ...]:
    """Whether it is as large as graphene's, and all atoms of one kind."""
    smallest, largest = SCALES
    if not smallest <= lattice.scale <= largest or _alternates(contrast):
        return (Flag.OTHER_LATTICE,)
    return (Flag.PIXEL_SIZE_DOUBTFUL,) if contradicts(lattice.scale) else ()


def contradicts(scale: float) -> bool:
    """Whether a lattice `scale` times its true size is more than strained."""
    return abs(math.log(scale)) > math.log1p(WRONG_SCALE)


def _alternates(contrast: Contrast) -> bool:
    return (
        contrast.alternation > ALTERNATING
        and contrast.alternation_depth > ALTERNATION_DEPTH
    )


def _merged(contrast: Contrast) -> bool:
    return contrast.merging - SURE_SIGMA * contrast.merging_sigma > MERGED
