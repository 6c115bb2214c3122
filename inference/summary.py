"""One frame in numbers, from its atoms."""

import math
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from inference.bonds import Bonds
from inference.histograms import ANGLE, Ranges, histograms_of
from inference.holes import holes_of
from inference.lattice import NO_LATTICE, Lattice
from streamer.analysis import Summary
from streamer.atoms import SPECIES, Atoms


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
        hole_area_nm2=holes_of(bonds.rowcol_nm, shape, pixel_size_nm).area_nm2,
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


def _mean(values: NDArray[np.float32]) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else math.nan
