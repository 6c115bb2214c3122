"""A frame's grey values in, probability maps out, at the network's own pixel size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.card import DcnnCard
from inference.normalise import min_max, normalise
from inference.resample import Grid, grid_for, resample
from inference.tiles import MOST_PX, Network, in_tiles

SMALLEST_PX = 16
"""Sides shorter than this, after resampling, are too small to tell anything."""
COARSEST = 4
"""A frame's pixels may be this many of the network's wide: beyond, no lattice can be
seen, and a wrong unit of the pixel size would fill the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Probabilities over the frame's area."""

    carbon: NDArray[np.float32]
    silicon: NDArray[np.float32]
    grid: Grid
    """How they lie on the frame."""


def segment(
    image: NDArray[np.float32],
    pixel_size_nm: float,
    card: DcnnCard,
    network: Network,
    most_px: int = MOST_PX,
) -> Maps | None:
    """Probabilities of the species at each pixel.

    Parameters
    ----------
    image
        (rows, cols): the frame, finite.
    most_px
        Pixels that the network sees at once. A larger frame goes through it in tiles
        that overlap by all that the network looks at, so that there is no seam; it is
        normalised as a whole.

    Returns
    -------
    The maps, or None when the frame is smaller than `SMALLEST_PX` of the network's
    pixels, or its pixels are wider than `COARSEST` of them.
    """
    if pixel_size_nm > COARSEST * card.pixel_size_nm:
        return None
    grid = grid_for((image.shape[0], image.shape[1]), pixel_size_nm, card.pixel_size_nm)
    if min(grid.shape) < SMALLEST_PX:
        return None
    rows, cols = grid.shape
    below, right = -rows % card.stride_px, -cols % card.stride_px
    # With zeros, as in training: a mirrored lattice would draw atoms to the border.
    scaled = _scaled(resample(image, grid), card)
    padded = np.pad(scaled, ((0, below), (0, right)))
    carbon, silicon = in_tiles(padded, network, card.stride_px, card.reach_px, most_px)
    return Maps(carbon[:rows, :cols], silicon[:rows, :cols], grid)


def _scaled(image: NDArray[np.float32], card: DcnnCard) -> NDArray[np.float32]:
    if card.normalisation == "min-max":
        return min_max(image)
    return normalise(image, card.pixel_size_nm)
