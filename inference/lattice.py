"""How large the lattice of a frame is."""

import math
from dataclasses import dataclass

from inference.at_rest import bond_at_rest
from inference.honeycomb import Honeycomb
from inference.stars import Stars

BOND_NM = 0.142
"""C-C bond of graphene."""
CONSTANT_NM = math.sqrt(3) * BOND_NM
"""Side of its hexagonal cell."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """The honeycomb of one frame, in nm by the pixel size that was used."""

    constant_nm: float
    """Side of the hexagonal cell; NaN where no honeycomb is seen."""
    sigma_nm: float
    """Standard uncertainty of it by the scatter among atoms, or among places."""

    @property
    def scale(self) -> float:
        """How many times as large as graphene's; NaN where no honeycomb is seen."""
        return self.constant_nm / CONSTANT_NM


NO_LATTICE = Lattice(math.nan, math.nan)


def lattice_of(honeycomb: Honeycomb, pixel_size_nm: float) -> Lattice:
    """By the bond of a honeycomb whose positions are in pixels."""
    nm = math.sqrt(3) * pixel_size_nm
    return Lattice(nm * honeycomb.bond, nm * honeycomb.bond_sigma)


def lattice_at_rest(stars: Stars) -> Lattice:
    """By the bonds where nothing pulls at them.

    Parameters
    ----------
    stars
        In nm; one at least.
    """
    bond = bond_at_rest(stars)
    return Lattice(math.sqrt(3) * bond.length, math.sqrt(3) * bond.sigma)
