"""How far the atoms of a frame lie as in graphene: each amid three others, 120° apart.

Everything is measured in bonds of this very frame, so that a wrong pixel size does not
matter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

FEWEST = 5
"""Atoms below which none has its three neighbours and a next one."""
MOST = 3000
"""Atoms that are all looked at; of more, fewer than this: they would cost time and
tell little."""
BAND_ATOMS = 1000
"""Of a frame with more, bands of this many are looked at, spread over its rows."""
NEIGHBOUR_BONDS = 1.35
"""Farther than this many bonds is no neighbour; second neighbours are at 1.73."""
BORDER_BONDS = 1.2
"""Nearer to the border than this an atom may lack a neighbour that is not seen."""
LARGEST_BEND_RAD = np.radians(25)
"""By which an angle between bonds may differ from 120°: displacements of 0.015 nm an
axis leave most atoms whole, a square (90°) or triangular lattice (60°) none."""

SIGMA_OF_SPREAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
SIGMA_OF_MEDIAN = 1.2533
"""Standard error of a median over that of a mean."""


@dataclass(frozen=True, slots=True, eq=False)
class Honeycomb:
    """N atoms of a frame and the three nearest to each; lengths in pixels."""

    rowcol: NDArray[np.float64]
    """(N, 2)."""
    bond: float
    """Median distance of whole atoms from their neighbours, which noise hardly changes;
    where no atom is whole, that of all atoms from the second nearest."""
    bond_sigma: float
    """Standard uncertainty of that by the scatter of whole atoms; NaN below two."""
    nearest: NDArray[np.intp]
    """(N, 3): indices of the nearest atoms."""
    neighbours: NDArray[np.intp]
    """(N,): how many are within `NEIGHBOUR_BONDS`, at most 4."""
    inner: NDArray[np.bool_]
    """(N,): all that surrounds this atom is in the frame, and among the N."""
    whole: NDArray[np.bool_]
    """(N,): inner atoms with exactly three neighbours, 120° apart."""

    @property
    def whole_share(self) -> float:
        """Of inner atoms; 0.5 and more even where a sheet is mostly edges."""
        return _ratio(self.whole, self.inner)

    @property
    def order(self) -> float:
        """Share of whole atoms among inner ones with three neighbours or more.

        Atoms at edges do not count: 1 for ribbons of a perfect sheet.
        """
        return _ratio(self.whole, self.inner & (self.neighbours >= 3))


def honeycomb_of(rowcol: NDArray[np.float64], shape: tuple[int, int]) -> Honeycomb:
    """The surroundings of each atom, or of some where there are very many.

    Parameters
    ----------
    rowcol
        (all, 2): at least `FEWEST` atoms, in pixels.
    shape
        (rows, cols) of the frame.
    """
    rowcol, first_row, last_row = _bands(rowcol)
    distance, index = KDTree(rowcol, balanced_tree=False).query(rowcol, k=FEWEST)
    distance, index = np.asarray(distance)[:, 1:], np.asarray(index)[:, 1:]
    # The second nearest is a bond away even at an edge.
    about = float(np.median(distance[:, 1]))
    neighbours = np.count_nonzero(distance < NEIGHBOUR_BONDS * about, axis=1)
    nearest = index[:, :3]
    margin = BORDER_BONDS * about
    inside = (rowcol > margin) & (rowcol < np.array(shape) - 1 - margin)
    inner = inside.all(axis=1)
    inner &= (rowcol[:, 0] > first_row + margin) & (rowcol[:, 0] < last_row - margin)
    straight = _bends(rowcol, nearest) < LARGEST_BEND_RAD
    whole = inner & (neighbours == 3) & straight
    bond, sigma = _bond(distance[whole, :3]) if whole.any() else (about, np.nan)
    return Honeycomb(rowcol, bond, sigma, nearest, neighbours, inner, whole)


def _bond(lengths: NDArray[np.float64]) -> tuple[float, float]:
    """Median of the (N, 3) bonds of N atoms, and its standard uncertainty.

    Of single bonds: noise lengthens the mean of an atom's three bonds more. But for the
    uncertainty an atom counts once, since its bonds share its own noise.
    """
    bond = float(np.median(lengths))
    if len(lengths) < 2:
        return bond, np.nan
    mean = lengths.mean(axis=1)
    spread = SIGMA_OF_SPREAD * float(np.median(np.abs(mean - np.median(mean))))
    return bond, SIGMA_OF_MEDIAN * spread / float(np.sqrt(len(lengths)))


def _bands(
    rowcol: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The atoms that are looked at, and the rows between which their band lies."""
    count = len(rowcol)
    every = -(-count // MOST)
    if every == 1:
        return rowcol, np.full(count, -np.inf), np.full(count, np.inf)
    ordered = rowcol[np.argsort(rowcol[:, 0], kind="stable")]
    band = np.arange(count) // BAND_ATOMS
    chosen = np.flatnonzero(band % every == every // 2)
    first = band[chosen] * BAND_ATOMS
    last = np.minimum(first + BAND_ATOMS, count) - 1
    return ordered[chosen], ordered[first, 0], ordered[last, 0]


def _bends(
    rowcol: NDArray[np.float64], nearest: NDArray[np.intp]
) -> NDArray[np.float64]:
    """(N,): by how much the worst angle between the three bonds differs from 120°."""
    bonds = rowcol[nearest] - rowcol[:, None]
    direction = np.arctan2(bonds[..., 0], bonds[..., 1])
    between = np.abs(direction - np.roll(direction, 1, axis=1))
    angle = np.minimum(between, 2 * np.pi - between)
    return np.asarray(np.abs(angle - 2 * np.pi / 3).max(axis=1))


def _ratio(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(part)) / max(int(np.count_nonzero(whole)), 1)
