"""What is really there: the ground truth of one simulated frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from streamer.simulator.sheet import Sheet, find_bonds

ORDER_RADIUS_NM = 0.5
SITES_IN_ORDER_RADIUS = 31
"""Sites of a whole sheet within `ORDER_RADIUS_NM` of one, itself included."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """One row an atom of the frame; columns of equal length."""

    row_px: NDArray[np.float32]
    col_px: NDArray[np.float32]
    species: NDArray[np.uint8]
    coordination: NDArray[np.uint8]
    """Number of bonds."""
    angle_rad: NDArray[np.float32]
    """Direction of the bonds, counter-clockwise on the screen, modulo 2π/3."""
    crystallinity: NDArray[np.float32]
    """0..1: order of the bonds within 0.5 nm; a missing bond counts as disorder."""
    hidden: NDArray[np.bool_]
    """Under contamination, where no method could be asked to find it."""

    def __len__(self) -> int:
        return len(self.row_px)


@dataclass(frozen=True, slots=True, eq=False)
class LocalOrder:
    """How well the surroundings of each atom keep the symmetry of graphene."""

    coordination: NDArray[np.intp]
    angle_rad: NDArray[np.float64]
    crystallinity: NDArray[np.float64]


def local_order(sheet: Sheet) -> LocalOrder:
    """Bond-orientational order of every atom of the sheet.

    Notes
    -----
    With θ the directions of an atom's bonds (counter-clockwise on the screen, where y
    grows downward), the orientation is arg(Σ e^{3iθ}) / 3. The two sublattices differ
    by 60° in it. e^{6iθ} is the same for both, so its sum over all bonds within
    `ORDER_RADIUS_NM`, divided by what a whole sheet would give, measures order.
    """
    bonds = find_bonds(sheet)
    along = sheet.xy_nm[bonds.pairs[:, 1]] - sheet.xy_nm[bonds.pairs[:, 0]]
    direction = np.asarray(along[:, 0] - 1j * along[:, 1], np.complex128)
    direction /= np.abs(direction)
    three = _sum_over_bonds(len(sheet), bonds.pairs, direction**3, -(direction**3))
    six = _sum_over_bonds(len(sheet), bonds.pairs, direction**6, direction**6) / 3
    overcrowded = np.maximum(bonds.coordination / 3, 1)
    six = six / overcrowded
    near = KDTree(sheet.xy_nm).query_pairs(ORDER_RADIUS_NM, output_type="ndarray")
    around = six + _sum_over_bonds(len(sheet), near, six[near[:, 1]], six[near[:, 0]])
    order = np.minimum(np.abs(around) / SITES_IN_ORDER_RADIUS, 1)
    return LocalOrder(bonds.coordination, np.angle(three) / 3, order)


def _sum_over_bonds(
    count: int,
    pairs: NDArray[np.intp],
    to_first: NDArray[np.complex128],
    to_second: NDArray[np.complex128],
) -> NDArray[np.complex128]:
    index = np.concatenate([pairs[:, 0], pairs[:, 1]])
    value = np.concatenate([to_first, to_second])
    real = np.bincount(index, value.real, count)
    imag = np.bincount(index, value.imag, count)
    return np.asarray(real + 1j * imag, np.complex128)


def truth_of(
    sheet: Sheet,
    rowcol_px: NDArray[np.float64],
    shape: tuple[int, int],
    hidden: NDArray[np.bool_],
) -> Truth:
    """The truth of the atoms whose image lies inside the frame."""
    order = local_order(sheet)
    inside = ((rowcol_px >= -0.5) & (rowcol_px < np.array(shape) - 0.5)).all(axis=1)
    return Truth(
        row_px=rowcol_px[inside, 0].astype(np.float32),
        col_px=rowcol_px[inside, 1].astype(np.float32),
        species=sheet.species[inside],
        coordination=order.coordination[inside].astype(np.uint8),
        angle_rad=order.angle_rad[inside].astype(np.float32),
        crystallinity=order.crystallinity[inside].astype(np.float32),
        hidden=hidden[inside],
    )
