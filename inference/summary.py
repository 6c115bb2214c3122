"""One frame in numbers, from its atoms."""

import math
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from inference.bonds import Bonds
from inference.histograms import ANGLE, Ranges, histograms_of
from inference.lattice import NO_LATTICE, Lattice
from streamer.analysis import Summary
from streamer.atoms import SPECIES, Atoms

HOLE_RADIUS_NM = 0.3
"""A place with no atom nearer than this belongs to a hole; a hexagon's centre, 0.142
nm from its atoms, and a single vacancy do not."""
HOLE_STEP_NM = 0.1
"""Grid on which holes are measured."""


def summarise(
    atoms: Atoms,
    shape: tuple[int, int],
    pixel_size_nm: float,
    bonds: Bonds,
    lattice: Lattice = NO_LATTICE,
    ranges: Ranges = MappingProxyType({}),
) -> Summary:
    """Counts, density, holes, bond length, lattice, order and histograms of one frame.

    Parameters
    ----------
    shape
        (rows, cols) that were analysed.
    bonds
        Of the same atoms, by `smooth_positions`.
    ranges
        Of the histograms, by quantity.
    """
    area = math.prod(shape) * pixel_size_nm**2
    # Within the frame every atom is seen whole; at its edge order is underestimated.
    whole = ~atoms.edge
    return Summary(
        counts={
            name: int((atoms.species == code).sum())
            for code, name in enumerate(SPECIES)
        },
        area_nm2=area,
        density_nm2=len(atoms) / area,
        hole_area_nm2=_hole_area(bonds.rowcol_nm, shape, pixel_size_nm),
        bond_length_nm=bonds.carbon_length_nm(atoms.species),
        mean_crystallinity=_mean(atoms.latents["crystallinity"][whole]),
        lattice_constant_nm=lattice.constant_nm,
        lattice_constant_sigma_nm=lattice.sigma_nm,
        histograms=histograms_of(atoms, ranges),
    )


def nothing(
    shape: tuple[int, int],
    pixel_size_nm: float | None,
    ranges: Ranges = MappingProxyType({}),
) -> Summary:
    """The numbers of a frame in which nothing was found; its histograms are empty."""
    area = math.nan if pixel_size_nm is None else math.prod(shape) * pixel_size_nm**2
    return Summary(
        counts=dict.fromkeys(SPECIES, 0),
        area_nm2=area,
        density_nm2=0.0 if area > 0 else math.nan,
        hole_area_nm2=math.nan,
        bond_length_nm=math.nan,
        mean_crystallinity=math.nan,
        histograms=histograms_of(Atoms.none(tuple(ranges.keys() - {ANGLE})), ranges),
    )


def _hole_area(
    rowcol_nm: NDArray[np.float64], shape: tuple[int, int], pixel_size_nm: float
) -> float:
    size_nm = np.array(shape) * pixel_size_nm
    sides = np.maximum(1, np.rint(size_nm / HOLE_STEP_NM)).astype(np.intp)
    near = _near_an_atom(rowcol_nm, sides, size_nm / sides)
    return float(1 - near.mean()) * float(size_nm.prod())


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


def _mean(values: NDArray[np.float32]) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else math.nan
