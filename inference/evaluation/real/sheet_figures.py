"""Numbers that graphene must have: atoms per area, and how far apart they are."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from inference.evaluation.real.seen import Seen

BOND_NM = 0.19
"""Two C nearer than this are bonded."""
BORDER_NM = 0.1
LEAST_NM2 = 1.0
"""Of contamination, below which no atoms per area are given."""


@dataclass(frozen=True, slots=True)
class SheetFigures:
    """Of one frame, contamination left out; of several, their medians."""

    density_nm2: float
    """Of the whole frame."""
    inner_density_nm2: float
    """Farther than `BORDER_NM` from its border, where no atom is cut."""
    nearest_nm: float
    """Median over C of the distance to the nearest atom, if that is C: the shortest of
    three, which noise makes shorter."""
    bond_nm: float
    """Median over all C-C bonds."""
    nearest_net_nm: float
    """The same two, of the network's own positions."""
    bond_net_nm: float


def sheet_figures(seen: list[Seen]) -> SheetFigures:
    """Medians over the frames of a recording."""
    frames = [_of_frame(frame) for frame in seen]
    return SheetFigures(
        density_nm2=_median([frame.density_nm2 for frame in frames]),
        inner_density_nm2=_median([frame.inner_density_nm2 for frame in frames]),
        nearest_nm=_median([frame.nearest_nm for frame in frames]),
        bond_nm=_median([frame.bond_nm for frame in frames]),
        nearest_net_nm=_median([frame.nearest_net_nm for frame in frames]),
        bond_net_nm=_median([frame.bond_net_nm for frame in frames]),
    )


def _of_frame(seen: Seen) -> SheetFigures:
    clean = ~seen.in_contamination
    nearest_nm, bond_nm = _distances(seen, seen.rowcol, clean)
    nearest_net_nm, bond_net_nm = _distances(seen, seen.net_rowcol, clean)
    return SheetFigures(
        density_nm2=_density(seen, 0.0),
        inner_density_nm2=_density(seen, BORDER_NM),
        nearest_nm=nearest_nm,
        bond_nm=bond_nm,
        nearest_net_nm=nearest_net_nm,
        bond_net_nm=bond_net_nm,
    )


def _density(seen: Seen, border_nm: float) -> float:
    """Atoms per nm² of what is not contamination."""
    rows, cols = seen.shape
    border = round(border_nm / seen.pixel_size_nm)
    clean = ~seen.hidden[border : rows - border, border : cols - border]
    atoms = seen.within(border * seen.pixel_size_nm) & ~seen.in_contamination
    area = float(clean.sum()) * seen.pixel_size_nm**2
    return float(atoms.sum()) / area if area else math.nan


def _distances(
    seen: Seen, rowcol: NDArray[np.float64], clean: NDArray[np.bool_]
) -> tuple[float, float]:
    """Median nearest neighbour and median bond of the C atoms, nm."""
    known = np.isfinite(rowcol).all(axis=1)
    if known.sum() < 3:
        return math.nan, math.nan
    where = rowcol[known] * seen.pixel_size_nm
    carbon = (~seen.silicon & clean)[known]
    tree = KDTree(where)
    distance, index = (np.asarray(column)[:, 1] for column in tree.query(where, k=2))
    # Of an atom at the border the nearest one may lie outside.
    chosen = carbon & carbon[index] & seen.within(BOND_NM)[known]
    pairs = tree.query_pairs(BOND_NM, output_type="ndarray")
    bonds = pairs[carbon[pairs].all(axis=1)]
    lengths = np.linalg.norm(where[bonds[:, 0]] - where[bonds[:, 1]], axis=1)
    return _median(distance[chosen]), _median(lengths)


@dataclass(frozen=True, slots=True)
class InContamination:
    """Atoms where no single atom can be told."""

    area_nm2: float
    """Mean over the frames."""
    atoms_nm2: float
    """Per area of it; NaN where there is less than `LEAST_NM2`."""


def in_contamination(seen: list[Seen]) -> InContamination:
    """Over all frames of a recording."""
    area = sum(float(frame.hidden.sum()) * frame.pixel_size_nm**2 for frame in seen)
    atoms = sum(int(frame.in_contamination.sum()) for frame in seen)
    enough = area / len(seen) >= LEAST_NM2
    return InContamination(area / len(seen), atoms / area if enough else math.nan)


def _median(values: list[float] | NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else math.nan
