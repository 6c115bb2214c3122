"""The linear equations of Fisher-scoring steps: sparse, in blocks of 3 x 3."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bsr_array
from scipy.sparse.linalg import LinearOperator, cg

from inference.refinement.normal_equations import TINY, Blocks
from inference.refinement.symmetric import inverses

DAMPING = 0.01
"""Levenberg's: it shortens steps of what is badly known, and biases nothing."""
ITERATIONS = 12
TOLERANCE = 0.02
"""Of the linear solution: the next step mends what is left."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearSystem:
    """The matrix of all unknowns, made once for all steps that are taken with it."""

    unit: NDArray[np.float64]
    """(N, 3): each unknown's own uncertainty, in which it is solved for: else
    amplitudes, in grey values, and positions, in pixels, would not be solved equally
    well."""
    matrix: bsr_array
    inverse: NDArray[np.float64]
    """(N, 3, 3): of each atom's own block, damped."""

    @classmethod
    def of(cls, blocks: Blocks) -> Self:
        """The equations of atoms that inform each other by these blocks."""
        own = blocks.own.copy()
        diagonal = np.einsum("nii->ni", own)  # a view: what is added reaches `own`
        diagonal += DAMPING * (diagonal + np.median(diagonal, axis=0))
        unit = 1 / np.sqrt(np.maximum(diagonal, TINY))
        own *= unit[:, :, None] * unit[:, None, :]
        return cls(unit, _sparse(own, blocks, unit), inverses(own))

    def solve(self, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 3): the step of all unknowns together, by conjugate gradients.

        Parameters
        ----------
        gradient
            (N, 3): of the log-likelihood.
        """
        step, _ = cg(
            self.matrix,
            (gradient * self.unit).ravel(),
            rtol=TOLERANCE,
            maxiter=ITERATIONS,
            M=LinearOperator(self.matrix.shape, self._by_atoms, dtype=np.float64),
        )
        step = np.nan_to_num(step, posinf=0, neginf=0)
        return np.asarray(step.reshape(self.unit.shape) * self.unit)

    def _by_atoms(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """The solution if no atoms overlapped: the preconditioner."""
        alone = vector.reshape(self.unit.shape)
        return np.asarray(np.einsum("nij,nj->ni", self.inverse, alone).ravel())


def _sparse(
    own: NDArray[np.float64], blocks: Blocks, unit: NDArray[np.float64]
) -> bsr_array:
    """The whole matrix; `own` is in the unknowns' units already."""
    count = len(own)
    diagonal = np.arange(count)
    first, second = blocks.pairs.T
    row = np.concatenate([diagonal, first, second])
    col = np.concatenate([diagonal, second, first])
    shared = blocks.shared * (unit[first, :, None] * unit[second, None, :])
    data = np.concatenate([own, shared, shared.transpose(0, 2, 1)])
    order = np.argsort(row, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=count))])
    size = 3 * count
    return bsr_array((data[order], col[order], starts), shape=(size, size))
