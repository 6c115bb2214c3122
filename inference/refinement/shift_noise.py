"""How large a shift of an atom's surroundings noise alone leaves in the residual.

All atoms have followed the noise as far as they can, so that little of it is left that
looks like a shift. How little depends on probe and bond length, and is worked out for a
few atoms of the frame, each with its neighbours.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from inference.refinement.image_model import AtomState, Optics, gaussian

SAMPLED = 16
"""Atoms for which it is worked out; they differ little."""
AROUND = 2
"""Half side of an atom's surroundings, in half sides of its window."""
NEIGHBOURS = 1.5
"""How far away atoms matter to it, in half sides of the surroundings."""
FAINT = 1e-3
"""Part of the brightest pixel below which nobody owns a pixel."""
RIDGE = 1e-5
"""Of the best known number: atoms at the window's corners are hardly in it."""


def unused_information(
    weight: NDArray[np.float32],
    atoms: AtomState,
    optics: Optics,
    prior: NDArray[np.float64],
) -> float:
    """Share of the information on a shift that the fit of all atoms has not used.

    Parameters
    ----------
    weight
        (rows, cols): 1 / variance of each pixel of the canvas.
    prior
        (N,): information on each amplitude that does not come from the frame.

    Returns
    -------
    The median over a few atoms, 0..1; 1 if there are none.
    """
    reach = AROUND * optics.reach
    centre = np.rint(atoms.rowcol).astype(np.intp)
    limit = np.array(weight.shape) - reach
    inside = np.flatnonzero(((centre >= reach) & (centre < limit)).all(axis=1))
    inside = inside[weight[tuple(centre[inside].T)] > 0]
    tree = KDTree(atoms.rowcol)
    steps = np.arange(-reach, reach + 1)
    parts = []
    for atom in inside[:: max(1, len(inside) // SAMPLED)]:
        near = tree.query_ball_point(atoms.rowcol[atom], NEIGHBOURS * reach)
        group = np.array([atom, *(other for other in near if other != atom)])
        row, col = centre[atom]
        drawn = _drawn(atoms.rowcol[group] - centre[atom], steps, optics)
        drawn *= atoms.amplitude[group, None, None].astype(np.float32)
        part = weight[row - reach : row + reach + 1, col - reach : col + reach + 1]
        known = (
            prior[group] * (atoms.amplitude[group] / (1 - optics.tail_fraction)) ** 2
        )
        parts.append(_left_over(drawn, part, known))
    return float(np.median(parts)) if parts else 1.0


def _drawn(
    away: NDArray[np.float64], steps: NDArray[np.intp], optics: Optics
) -> NDArray[np.float32]:
    """(3, N, side, side): each atom's slope along rows, along columns, and image."""
    (row, row_slope), (col, col_slope) = (
        gaussian(steps - away[:, axis, None], sigma)
        for axis, sigma in enumerate(optics.sigma)
    )
    profiles = ((row_slope, col), (row, col_slope), (row, col))
    return np.stack([down[:, :, None] * along[:, None, :] for down, along in profiles])


def _left_over(
    drawn: NDArray[np.float32],
    weight: NDArray[np.float32],
    known: NDArray[np.float64],
) -> float:
    """Of noise along the shift of the first atom's share, after a fit of all.

    Parameters
    ----------
    known
        (N,): what is assumed of each amplitude, relative to itself.
    """
    noise = np.sqrt(weight)
    total = drawn[2].sum(axis=0)
    share = drawn[2, 0] / np.maximum(total, FAINT * total.max())
    slopes = (drawn[:2].sum(axis=1) * noise).reshape(2, -1)
    shift = slopes * share.ravel()
    design = (drawn * noise).reshape(-1, weight.size)
    matrix = (design @ design.T).astype(np.float64)
    diagonal = np.einsum("ii->i", matrix)  # a view: what is added reaches `matrix`
    diagonal[2 * len(known) :] += known
    diagonal += RIDGE * diagonal.max()
    left = shift - np.linalg.solve(matrix, design @ shift.T).T @ design
    known = float((slopes * shift).sum())
    return float(np.square(left).sum()) / known if known > 0 else 1.0
