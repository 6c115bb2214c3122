"""The sheet: positions and species of every atom, and who is bonded to whom."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

BOND_NM = 0.142
"""C-C bond of graphene."""
SILICON_BOND_NM = 0.176
"""Si-C bond of a substituted Si."""
CARBON_CUTOFF_NM = 0.19
"""Two C atoms nearer than this are bonded."""
SILICON_CUTOFF_NM = 0.215
"""A Si and another atom nearer than this are bonded."""
CARBON, SILICON = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Atoms of a square field and of a margin around it.

    The field reaches from (0, 0) to (field_nm, field_nm); the margin keeps its edge
    from being an edge of the lattice.
    """

    xy_nm: NDArray[np.float64]
    """(N, 2): x to the right, y downward."""
    species: NDArray[np.uint8]
    """(N,): `CARBON` or `SILICON`."""
    fragment: NDArray[np.int64]
    """(N,): grain that the atom turns with when the sheet breaks up."""
    field_nm: float

    def __len__(self) -> int:
        return len(self.xy_nm)

    def keep(self, mask: NDArray[np.bool_]) -> "Sheet":
        """The same sheet with only the atoms where `mask` is true."""
        return Sheet(
            self.xy_nm[mask], self.species[mask], self.fragment[mask], self.field_nm
        )

    def moved(self, xy_nm: NDArray[np.float64]) -> "Sheet":
        """The same atoms at other positions."""
        return Sheet(xy_nm, self.species, self.fragment, self.field_nm)


@dataclass(frozen=True, slots=True, eq=False)
class Bonds:
    """Pairs of bonded atoms."""

    pairs: NDArray[np.intp]
    """(B, 2): indices, each pair once."""
    coordination: NDArray[np.intp]
    """(N,): number of bonds of each atom; 3 in a whole sheet."""


def find_bonds(sheet: Sheet) -> Bonds:
    """Every pair nearer than the cut-off for its species."""
    pairs = KDTree(sheet.xy_nm).query_pairs(SILICON_CUTOFF_NM, output_type="ndarray")
    length = np.linalg.norm(sheet.xy_nm[pairs[:, 0]] - sheet.xy_nm[pairs[:, 1]], axis=1)
    with_silicon = (sheet.species[pairs] == SILICON).any(axis=1)
    pairs = pairs[with_silicon | (length < CARBON_CUTOFF_NM)]
    return Bonds(pairs, np.bincount(pairs.ravel(), minlength=len(sheet)))


def honeycomb(size_nm: float, angle_rad: float) -> NDArray[np.float64]:
    """Sites of a perfect sheet that cover a square centred on the origin.

    Parameters
    ----------
    size_nm
        Side of the square.
    angle_rad
        Turn of the lattice; at 0 a third of the bonds lie along y.

    Returns
    -------
    (N, 2) array of x and y in nm.
    """
    a = BOND_NM * math.sqrt(3)
    reach = math.ceil(size_nm / a * 0.75) + 2
    i, j = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-2 * reach, 2 * reach))
    corner = np.stack([a * (i + 0.5 * (j % 2)), 1.5 * BOND_NM * j], axis=-1)
    first = corner.reshape(-1, 2)
    sites = np.concatenate([first, first + np.array([0.0, BOND_NM])])
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    sites = sites @ np.array([[cos, -sin], [sin, cos]])
    inside: NDArray[np.bool_] = (np.abs(sites) < size_nm / 2).all(axis=1)
    return np.asarray(sites[inside], np.float64)


@dataclass(frozen=True, slots=True)
class Growth:
    """How a pristine sheet is made."""

    field_nm: float = 16.0
    margin_nm: float = 1.0
    silicon_per_nm2: float = 0.16
    """Substituted Si per area: 40 in the field of the paper's movie."""
    holes_per_nm2: float = 0.016
    """Seeds of holes per area: 4 in that field."""
    hole_radius_nm: tuple[float, float] = (0.2, 0.5)
    """Smallest and largest seed."""
    fragments: int = 7
    """Grains into which the beam will break the sheet."""
    orientation_deg: float | None = None
    """Of the bonds, counter-clockwise on the screen, modulo 60; None: any."""


def grow_sheet(growth: Growth, rng: np.random.Generator) -> Sheet:
    """A sheet at the start of a movie: one grain, a few holes, Si on random sites."""
    size = growth.field_nm + 2 * growth.margin_nm
    turn_rad = rng.uniform(0, 2 * math.pi)
    if growth.orientation_deg is not None:
        turn_rad = math.radians(growth.orientation_deg - 30)  # bonds along y are at 90
    sites = honeycomb(size, turn_rad) + growth.field_nm / 2
    low, high = -growth.margin_nm, growth.field_nm + growth.margin_nm
    seeds = rng.uniform(low, high, (growth.fragments, 2))
    fragment = KDTree(seeds).query(sites)[1]
    species = np.full(len(sites), CARBON, np.uint8)
    count = min(rng.poisson(growth.silicon_per_nm2 * size**2), len(sites))
    species[rng.choice(len(sites), count, replace=False)] = SILICON
    sheet = Sheet(sites, species, np.asarray(fragment, np.int64), growth.field_nm)
    return _with_holes(sheet, growth, rng)


def _with_holes(sheet: Sheet, growth: Growth, rng: np.random.Generator) -> Sheet:
    count = rng.poisson(growth.holes_per_nm2 * growth.field_nm**2)
    centres = rng.uniform(0, growth.field_nm, (count, 2))
    radii = rng.uniform(*growth.hole_radius_nm, count)
    distance = np.linalg.norm(sheet.xy_nm[:, None] - centres, axis=2)
    return sheet.keep((distance > radii).all(axis=1))
