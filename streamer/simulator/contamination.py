"""Amorphous carbon that gathers on the sheet: bright, and it hides what is beneath."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHEET_ATOMS_PER_NM2 = 38.2


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """One ragged patch of amorphous carbon."""

    centre_nm: tuple[float, float]
    """(x, y)."""
    radius_nm: float
    waves: NDArray[np.float64]
    """(3, 2): amplitude and phase of the outline's ripples."""
    layers: float
    """Brightness in units of the sheet's."""

    def covers(self, xy_nm: NDArray[np.float64]) -> NDArray[np.bool_]:
        """True for each point, (N, 2), inside the outline."""
        dx, dy = (xy_nm - self.centre_nm).T
        angle = np.arctan2(dy, dx)[:, None] * (1 + np.arange(3)) + self.waves[:, 1]
        outline = self.radius_nm * (1 + (self.waves[:, 0] * np.cos(angle)).sum(axis=1))
        return np.asarray(np.hypot(dx, dy) < outline)

    def atoms(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """(N, 2): positions of its atoms, without any order."""
        reach = 2 * self.radius_nm
        count = rng.poisson(self.layers * SHEET_ATOMS_PER_NM2 * (2 * reach) ** 2)
        xy = rng.uniform(-reach, reach, (count, 2)) + self.centre_nm
        return xy[self.covers(xy)]

    def grown(self, factor: float) -> "Blob":
        """The same patch with its radius multiplied by `factor`."""
        return Blob(self.centre_nm, self.radius_nm * factor, self.waves, self.layers)


def settle_blob(
    field_nm: float,
    radius_nm: float,
    layers: float,
    rng: np.random.Generator,
) -> Blob:
    """A patch somewhere in the field, most likely near its border."""
    side = field_nm * float(rng.integers(2))
    along = float(rng.uniform(0, field_nm))
    centre = (side, along) if rng.random() < 0.5 else (along, side)
    amplitude = rng.uniform(0, 0.2, 3)
    phase = rng.uniform(0, 2 * math.pi, 3)
    return Blob(centre, radius_nm, np.stack([amplitude, phase], axis=1), layers)
