"""How well positions could be known at best: the Cramér-Rao bound of a scene."""

import numpy as np
from numpy.typing import NDArray

from inference.refinement.canvas import MARGIN_PX
from inference.refinement.image_model import AtomState, Optics, stamps_of
from inference.refinement.normal_equations import covariance, information


def position_bound(
    rowcol: NDArray[np.float64],
    counts: NDArray[np.float64],
    optics: Optics,
    variance: NDArray[np.float32],
) -> NDArray[np.float64]:
    """(N, 2): smallest variance of (row, col), pixels², of an unbiased estimate.

    Amplitudes and overlapping neighbours are unknown too; probe and background are
    known. To be taken at the true positions of the same scene: displaced atoms overlap
    more than those of a perfect lattice, and are known less well.

    Parameters
    ----------
    rowcol
        (N, 2): true positions, atoms just outside the frame included, which have a
        huge variance.
    counts
        (N,): expected sum of each atom's image.
    variance
        (rows, cols): of each pixel of the frame.
    """
    weight = np.pad(1 / variance, MARGIN_PX).astype(np.float32)
    inner = rowcol + MARGIN_PX - optics.reach
    limit = np.array(weight.shape) - 2 * optics.reach - 2
    near = ((inner > 1) & (inner < limit)).all(axis=1)
    atoms = AtomState(
        rowcol[near] + MARGIN_PX, counts[near], np.zeros(near.sum(), bool)
    )
    stamps = stamps_of(atoms.rowcol, optics)
    blocks = information(weight, stamps, atoms, optics, np.zeros(len(atoms)))
    bound = np.full((len(rowcol), 2), np.inf)
    bound[near] = np.einsum("nii->ni", covariance(blocks))[:, :2]
    return bound
