"""How large a honeycomb is where nothing pulls at it.

Where a sheet comes apart, bonds are stretched for nanometres around. A mean over all
atoms follows that; one without outliers does too, the more the noisier the positions
are, because noise hides which atoms are outliers. Grains that pull at each other also
turn against each other. So the lattice is read where its direction changes least, and
there from means over many atoms, in which noise cancels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.stars import Stars

NEAR_BONDS, FAR_BONDS = 2.0, 4.0
"""Standard deviations of the Gaussians over which stars are averaged: where both means
have one direction, the lattice does not turn. A cell of the grid is a bond wide."""
REACH = 3.0
"""Standard deviations at which a Gaussian is cut off."""
CALMEST = 0.1
"""Share of stars whose surroundings turn by no more than noise makes them turn."""
AS_CALM = 2.0
"""Times the turning of these up to which others count as calm too: nearly all in a
sheet that turns nowhere, a fifth or less where it comes apart."""
STARS_IN_A_MEAN = 4 * np.pi * FAR_BONDS**2 / (0.75 * np.sqrt(3))
"""How many stars a Gaussian mean is worth; the area of an atom is 3√3/4 bonds²."""
RIM_POWER = 0.75
"""With N stars the noise of their mean falls as N to this power: it cancels between
neighbours, and is left at the rim."""
SPREADS_PER_DEVIATION = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True, slots=True)
class RestBond:
    """Bond of a lattice where nothing pulls at it, in the unit of the stars."""

    length: float
    sigma: float
    """Standard uncertainty by the scatter of positions, and from place to place."""


def bond_at_rest(stars: Stars) -> RestBond:
    """The bond where the lattice turns least.

    Parameters
    ----------
    stars
        One at least.

    Notes
    -----
    Of each star the part along the direction of those around it counts, which is linear
    in the positions: noise, however large, does not lengthen it. Si is not left out:
    what its long bonds press together lies around it.
    """
    bond = float(np.median(np.abs(stars.seen)))
    around = _Around.of(stars.rowcol / bond)
    # Three bonds and two sublattices: directions are alike every 60°.
    sixfold = np.exp(6j * np.angle(stars.seen))
    near, far = (around.mean(sixfold, sd) for sd in (NEAR_BONDS, FAR_BONDS))
    along = np.exp(-1j * np.angle(near) / 6)
    sixths = np.rint(np.angle(stars.seen * along) / (np.pi / 3))
    length = (stars.measured * along * np.exp(-1j * np.pi / 3 * sixths)).real
    turning = np.abs(near - far) ** 2
    # Both are means of what has no imaginary part.
    means = around.mean(length + 1j * turning, FAR_BONDS)
    calm = means.imag <= AS_CALM * np.quantile(means.imag, CALMEST)
    here = means.real[calm]
    independent = max(1.0, len(here) / STARS_IN_A_MEAN)
    noise = _spread(length) / len(stars) ** RIM_POWER
    sigma = np.hypot(_spread(here) / np.sqrt(independent), noise)
    return RestBond(float(np.median(here)), float(sigma))


def _spread(values: NDArray[np.float64]) -> float:
    """Standard deviation, whatever outliers there are."""
    off = np.abs(values - np.median(values))
    return SPREADS_PER_DEVIATION * float(np.median(off))


@dataclass(frozen=True, slots=True, eq=False)
class _Around:
    """Means of what N stars have, over Gaussians about each, by cells of a grid."""

    cell: NDArray[np.intp]
    """(N,): number of each star's cell."""
    shape: tuple[int, int]

    @classmethod
    def of(cls, rowcol_bonds: NDArray[np.float64]) -> "_Around":
        place = np.floor(rowcol_bonds - rowcol_bonds.min(axis=0)).astype(np.intp)
        rows, cols = place.max(axis=0) + 1
        return cls(place[:, 0] * cols + place[:, 1], (int(rows), int(cols)))

    def mean(
        self, values: NDArray[np.complex128], sd_bonds: float
    ) -> NDArray[np.complex128]:
        """(N,): of the stars around each, itself included."""
        cells = np.empty((3, *self.shape))
        for part, of_stars in zip(cells, (None, values.real, values.imag), strict=True):
            part[:] = np.bincount(self.cell, of_stars, part.size).reshape(self.shape)
        sigma = (0.0, sd_bonds, sd_bonds)
        spread = gaussian_filter(cells, sigma, mode="constant", truncate=REACH)
        weight, real, imag = spread.reshape(3, -1)[:, self.cell]
        return np.asarray((real + 1j * imag) / weight)
