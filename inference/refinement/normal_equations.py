"""The Fisher information of all atoms, and what it says of their uncertainty.

Each atom has three unknowns: row, column, amplitude. Only atoms whose images overlap
share a block of the matrix, so that it is sparse, in blocks of 3 x 3.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.spatial import KDTree

from inference.refinement.canvas import MARGIN_PX
from inference.refinement.image_model import (
    AtomState,
    Optics,
    Stamps,
    gaussian,
    stamps_of,
)
from inference.refinement.symmetric import inverses

OVERLAP_SIGMA = 4.8
"""Atoms farther apart than this many widths of the core do not share a block."""
WIDE_PX, WIDEST_PX = 2.2, 8.0
"""Widths of a core from which on every second pixel along an axis tells it, and up to
which its windows stay in the margin."""
PAIR_SIGMA = 1.8
"""Half side of the window of a pair, whose product is narrower than a core."""
LEAST_INFORMATION = 1e-8
"""Of that of the best known atom: keeps atoms outside the frame from dividing by 0."""
TINY = 1e-200
"""Smallest divisor, for a frame that says nothing of any atom."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The Fisher information of the atoms, by blocks."""

    own: NDArray[np.float64]
    """(N, 3, 3): each atom with itself."""
    pairs: NDArray[np.intp]
    """(P, 2): atoms that overlap, each pair once."""
    shared: NDArray[np.float64]
    """(P, 3, 3): the first of each pair (rows) with the second (columns)."""


def information(
    weight: NDArray[np.float32],
    stamps: Stamps,
    atoms: AtomState,
    optics: Optics,
    prior: NDArray[np.float64],
) -> Blocks:
    """Fisher information of positions and amplitudes.

    Parameters
    ----------
    weight
        (rows, cols): 1 / variance of each pixel of the canvas; 0 where it is unknown.
    prior
        (N,): information on the amplitude that does not come from the frame.
    """
    brightness = atoms.amplitude * (1 - optics.tail_fraction)
    own = _own_blocks(weight, stamps, brightness, 1 - optics.tail_fraction)
    own[:, 2, 2] += prior
    reach = OVERLAP_SIGMA * max(optics.sigma)
    pairs = KDTree(atoms.rowcol).query_pairs(reach, output_type="ndarray")
    shared = _shared_blocks(weight, atoms.rowcol, brightness, pairs, optics)
    return Blocks(own, pairs, shared)


def thinned_information(
    weight: NDArray[np.float32],
    atoms: AtomState,
    optics: Optics,
    prior: NDArray[np.float64],
) -> Blocks:
    """The same from one pixel of four, where a core is wide enough to be told by them.

    What is summed is smooth, products of cores with weights, so that the sum over one
    of four pixels is nearly a quarter of the whole sum: uncertainties differ by a
    hundredth at most, at the border of what can be used by a tenth.
    """
    if min(optics.sigma) < WIDE_PX or max(optics.sigma) > WIDEST_PX:
        return information(
            weight, stamps_of(atoms.rowcol, optics), atoms, optics, prior
        )
    row, col = optics.sigma
    thin = replace(optics, sigma=(row / 2, col / 2), tail_sigma=optics.tail_sigma / 2)
    # In wider pixels the same core holds a quarter of the sum over all pixels.
    fewer = replace(atoms, rowcol=atoms.rowcol / 2, amplitude=atoms.amplitude / 4)
    stamps = stamps_of(fewer.rowcol, thin)
    blocks = information(weight[::2, ::2], stamps, fewer, thin, 4 * prior)
    unit = 2 * np.array([1 / 2, 1 / 2, 1 / 4])
    scale = unit[:, None] * unit
    return Blocks(blocks.own * scale, blocks.pairs, blocks.shared * scale)


def windows_of(
    image: NDArray[np.float32], corner: NDArray[np.intp], side: int
) -> NDArray[np.float32]:
    """(N, side, side) copies of an image."""
    windows = sliding_window_view(image, (side, side))
    return np.asarray(windows[corner[:, 0], corner[:, 1]])


def _own_blocks(
    weight: NDArray[np.float32],
    stamps: Stamps,
    brightness: NDArray[np.float64],
    core: float,
) -> NDArray[np.float64]:
    row, col = (
        np.stack([g * g, g * slope, slope * slope], axis=2)
        for g, slope in zip(stamps.profile, stamps.slope, strict=True)
    )
    windows = windows_of(weight, stamps.corner, stamps.side)
    # [a, b]: a slopes among the two row factors, b among the two column factors.
    m = (row.transpose(0, 2, 1) @ (windows @ col)).astype(np.float64)
    blocks = np.empty((len(m), 3, 3))
    blocks[:, 0, 0], blocks[:, 1, 1] = m[:, 2, 0], m[:, 0, 2]
    blocks[:, 0, 1] = blocks[:, 1, 0] = m[:, 1, 1]
    blocks[:, 0, 2] = blocks[:, 2, 0] = m[:, 1, 0]
    blocks[:, 1, 2] = blocks[:, 2, 1] = m[:, 0, 1]
    blocks[:, 2, 2] = m[:, 0, 0]
    factor = _factors(brightness, core)
    return blocks * factor[:, :, None] * factor[:, None, :]


def _factors(brightness: NDArray[np.float64], core: float) -> NDArray[np.float64]:
    """(N, 3): what turns derivatives of a unit core into those of the image."""
    return np.stack([brightness, brightness, np.full(len(brightness), core)], axis=1)


def _shared_blocks(
    weight: NDArray[np.float32],
    rowcol: NDArray[np.float64],
    brightness: NDArray[np.float64],
    pairs: NDArray[np.intp],
    optics: Optics,
) -> NDArray[np.float64]:
    first, second = rowcol[pairs[:, 0]], rowcol[pairs[:, 1]]
    reach = min(math.ceil(PAIR_SIGMA * max(optics.sigma)), MARGIN_PX - 4)
    corner = np.rint((first + second) / 2).astype(np.intp) - reach
    steps = np.arange(2 * reach + 1)
    row, col = (
        _products(
            corner[:, axis, None] + steps - first[:, axis, None],
            corner[:, axis, None] + steps - second[:, axis, None],
            sigma,
        )
        for axis, sigma in enumerate(optics.sigma)
    )
    windows = windows_of(weight, corner, len(steps))
    # [a, b]: 0 neither, 1 the first, 2 the second, 3 both have their slope.
    m = (row.transpose(0, 2, 1) @ (windows @ col)).astype(np.float64)
    blocks = np.empty((len(m), 3, 3))
    blocks[:, 0] = np.stack([m[:, 3, 0], m[:, 1, 2], m[:, 1, 0]], axis=1)
    blocks[:, 1] = np.stack([m[:, 2, 1], m[:, 0, 3], m[:, 0, 1]], axis=1)
    blocks[:, 2] = np.stack([m[:, 2, 0], m[:, 0, 2], m[:, 0, 0]], axis=1)
    factor = _factors(brightness, 1 - optics.tail_fraction)
    return blocks * factor[pairs[:, 0], :, None] * factor[pairs[:, 1], None, :]


def _products(
    to_first: NDArray[np.float64], to_second: NDArray[np.float64], sigma: float
) -> NDArray[np.float32]:
    """(P, side, 4): of two profiles, their slopes, and their slopes' product."""
    one, one_slope = gaussian(to_first, sigma)
    two, two_slope = gaussian(to_second, sigma)
    products = [one * two, one_slope * two, one * two_slope, one_slope * two_slope]
    return np.stack(products, axis=2)


def inverse_blocks(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3, 3): inverses; an atom the frame says nothing of gets a huge one."""
    diagonal = np.einsum("nii->ni", blocks)
    least = LEAST_INFORMATION * diagonal.max(axis=0)
    scale = np.sqrt(np.maximum(diagonal, np.maximum(least, TINY)))
    with np.errstate(over="ignore"):  # what becomes infinite is not known either
        scaled = blocks / (scale[:, :, None] * scale[:, None, :])
    scaled += LEAST_INFORMATION * np.eye(3)
    return np.asarray(inverses(scaled) / (scale[:, :, None] * scale[:, None, :]))


def covariance(blocks: Blocks) -> NDArray[np.float64]:
    """(N, 3, 3): of row, column and amplitude, with overlapping atoms unknown too.

    Each atom's neighbours are marginalised one by one, as if they did not overlap with
    each other; that is within 2 % of the exact inverse of the whole matrix.
    """
    first, second = blocks.pairs.T
    inverse = inverse_blocks(blocks.own)
    known = blocks.own.copy()
    back = blocks.shared.transpose(0, 2, 1)
    _subtract(known, first, blocks.shared @ inverse[second] @ back)
    _subtract(known, second, back @ inverse[first] @ blocks.shared)
    return inverse_blocks(known)


def _subtract(
    blocks: NDArray[np.float64], index: NDArray[np.intp], lost: NDArray[np.float64]
) -> None:
    for i in range(3):
        for j in range(3):
            blocks[:, i, j] -= np.bincount(index, lost[:, i, j], len(blocks))
