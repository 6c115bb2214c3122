"""A frame's grey values in, probability maps out, at the network's own pixel size."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.card import DcnnCard
from inference.normalise import min_max, normalise
from inference.resample import Grid, grid_for, resample

SMALLEST_PX = 16
"""Sides shorter than this, after resampling, are too small to tell anything."""
COARSEST = 4
"""A frame's pixels may be this many of the network's wide: beyond, no lattice can be
seen, and a wrong unit of the pixel size would fill the memory."""

type Network = Callable[
    [NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]
]
"""Normalised image (rows, cols) → probability of C and of Si, (rows, cols) each."""


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Probabilities over the frame's area."""

    carbon: NDArray[np.float32]
    silicon: NDArray[np.float32]
    grid: Grid
    """How they lie on the frame."""


def segment(
    image: NDArray[np.float32], pixel_size_nm: float, card: DcnnCard, network: Network
) -> Maps | None:
    """Probabilities of the species at each pixel.

    Parameters
    ----------
    image
        (rows, cols): the frame, finite.

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
    scale = normalise if card.normalisation == "robust" else min_max
    # With zeros, as in training: a mirrored lattice would draw atoms to the border.
    padded = np.pad(scale(resample(image, grid)), ((0, below), (0, right)))
    carbon, silicon = network(padded)
    return Maps(carbon[:rows, :cols], silicon[:rows, :cols], grid)
