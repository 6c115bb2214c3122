"""How far the atoms of a frame lie as in graphene: each amid three others, 120° apart.

Everything is measured in bonds of this very frame, so that a wrong pixel size does not
matter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from inference.stars import LARGEST_BEND_RAD, Stars, bends, seen_stars

FEWEST = 5
"""Atoms below which none has its three neighbours and a next one."""
MOST = 4000
"""Atoms that are all looked at; of more, fewer than this: they would cost time and
tell little."""
BAND_ATOMS = 400
"""Of a frame with more, bands of this many are looked at, spread over its rows: few
wide ones would tell the lattice constant of where they happen to lie."""
NEIGHBOUR_BONDS = 1.35
"""Farther than this many bonds is no neighbour; second neighbours are at 1.73."""
BORDER_BONDS = 1.2
"""Nearer to the border than this an atom may lack a neighbour that is not seen."""

OUTLIER_SPREADS = 4.5
"""Median absolute deviations, three standard ones, beyond which an atom's bonds have no
say in the mean."""


@dataclass(frozen=True, slots=True, eq=False)
class Honeycomb:
    """N atoms of a frame and the three nearest to each; lengths in pixels."""

    rowcol: NDArray[np.float64]
    """(N, 2)."""
    bond: float
    """Mean bond of whole atoms, which noise hardly changes, but damage does
    (`at_rest`); where no atom is whole, the median distance of all atoms from the
    second nearest."""
    bond_sigma: float
    """Standard uncertainty of that by the scatter of whole atoms, as if they were
    independent; NaN below two."""
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
    bonds = rowcol[nearest] - rowcol[:, None]
    whole = inner & (neighbours == 3) & (bends(bonds) < LARGEST_BEND_RAD)
    stars = seen_stars(rowcol[whole], bonds[whole])
    bond, sigma = _bond(stars) if whole.any() else (about, np.nan)
    return Honeycomb(rowcol, bond, sigma, nearest, neighbours, inner, whole)


def _bond(stars: Stars) -> tuple[float, float]:
    """Mean length of the stars, and its uncertainty.

    Si, whose bonds are longer, is left out, and so are other outliers.
    """
    length = np.abs(stars.seen)
    off = np.abs(length - np.median(length))
    kept = length[off <= OUTLIER_SPREADS * np.median(off)]
    sigma = float(kept.std(ddof=1) / np.sqrt(len(kept))) if len(kept) > 1 else np.nan
    return float(kept.mean()), sigma


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


def _ratio(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(part)) / max(int(np.count_nonzero(whole)), 1)
