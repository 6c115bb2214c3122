"""Where there is nothing: holes of a sheet, and the atoms at their edges."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

HOLE_RADIUS_NM = 0.3
"""A place with no atom nearer than this belongs to a hole; a hexagon's centre, 0.142
nm from its atoms, and a single vacancy do not."""
HOLE_STEP_NM = 0.1
"""Grid on which holes are measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Holes:
    """The frame on a coarse grid."""

    bare: NDArray[np.bool_]
    """(rows, cols): the middle of this cell has no atom within `HOLE_RADIUS_NM`."""
    step_nm: NDArray[np.float64]
    """(2,): sides of a cell along rows and columns."""

    @property
    def area_nm2(self) -> float:
        """Of all of them."""
        return float(self.bare.sum() * self.step_nm.prod())

    @property
    def middles_nm(self) -> NDArray[np.float64]:
        """(M, 2) middles of the bare cells, from the frame's corner."""
        return np.asarray((np.argwhere(self.bare) + 0.5) * self.step_nm)


def holes_of(
    rowcol_nm: NDArray[np.float64], shape: tuple[int, int], pixel_size_nm: float
) -> Holes:
    """The holes of a frame with atoms at (N, 2) positions.

    Parameters
    ----------
    shape
        (rows, cols) that were analysed.
    """
    size_nm = np.array(shape) * pixel_size_nm
    sides = np.maximum(1, np.rint(size_nm / HOLE_STEP_NM)).astype(np.intp)
    step_nm = size_nm / sides
    return Holes(~_near_an_atom(rowcol_nm, sides, step_nm), step_nm)


def edge_atoms(rowcol_nm: NDArray[np.float64], holes: Holes) -> NDArray[np.bool_]:
    """(N,): atoms that border a hole, which is as near to them as it can be.

    Where the frame ends there is no edge.
    """
    bare = holes.middles_nm
    if len(bare) == 0 or len(rowcol_nm) == 0:
        return np.zeros(len(rowcol_nm), bool)
    # The cell beside the rim is off it by a diagonal of the grid at most.
    reach = HOLE_RADIUS_NM + math.hypot(*holes.step_nm)
    return np.asarray(KDTree(bare).query(rowcol_nm)[0] <= reach)


def distance_nm(
    rowcol_nm: NDArray[np.float64], edges_nm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N,) distances of (N, 2) positions from the nearest of (M, 2) edge atoms.

    0 for one of these; NaN where there is none.
    """
    if len(edges_nm) == 0 or len(rowcol_nm) == 0:
        return np.full(len(rowcol_nm), np.nan)
    return np.asarray(KDTree(edges_nm).query(rowcol_nm)[0], np.float64)


def _near_an_atom(
    rowcol_nm: NDArray[np.float64],
    sides: NDArray[np.intp],
    step_nm: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Of the middles of a grid's cells: those within `HOLE_RADIUS_NM` of an atom."""
    reach = np.ceil(HOLE_RADIUS_NM / step_nm).astype(np.intp)
    cell = np.clip(np.floor(rowcol_nm / step_nm).astype(np.intp), 0, sides - 1)
    beside_nm = (cell + 0.5) * step_nm - rowcol_nm
    # (steps, N): squared distances along each axis to the cells around.
    down, right = (
        (np.arange(-most, most + 1)[:, None] * step + beside) ** 2
        for most, step, beside in zip(reach, step_nm, beside_nm.T, strict=True)
    )
    near = np.zeros(sides + 2 * reach, bool)
    cells, width = near.reshape(-1), near.shape[1]
    first = cell @ np.array([width, 1])
    for i, j in np.ndindex(len(down), len(right)):
        within = down[i] + right[j] <= HOLE_RADIUS_NM**2
        cells[first[within] + (i * width + j)] = True
    return near[reach[0] : reach[0] + sides[0], reach[1] : reach[1] + sides[1]]
