"""Sub-images as rings of angular harmonics: a turn of the image is a shift of phases.

On each ring of radius r the sub-image is described by c_m(r) = Σ image · ring(r) ·
e^{-imθ}, θ counter-clockwise on the screen, m = 0, 1, 2 … Turning the sub-image by φ
multiplies c_m by e^{-imφ}, exactly. So the phases of m = 3, the symmetry of a site of
graphene, give the orientation in closed form, and multiplying all phases back gives a
description in which no rotation is left.

Two traps are closed here: windows are cut on whole pixels, so harmonics are taken
about the atom's true position within its window; and the rings end inside a disc, so
that no corner of the square window can tell how it was turned.
"""

import math
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from inference.card import HarmonicsEncoderCard
from inference.subimages import SubImages

OFFSET_STEPS = 4
"""Distances from the middle of a pixel, along each axis, at which the rings are drawn.
With the shipped rings each of the 16 takes 0.4 MB."""
MIRRORS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
"""Signs of an offset along (row, col). The rings about an offset with other signs are
the mirrored rings, so that mirroring the windows does instead."""


@dataclass(frozen=True, slots=True)
class Rings:
    """The rings of an encoder, in nm."""

    radii_nm: tuple[float, ...]
    sigma_nm: float
    max_orders: tuple[int, ...]
    pixel_size_nm: float

    @classmethod
    def of(cls, card: HarmonicsEncoderCard) -> "Rings":
        """The rings that a card asks for."""
        return cls(
            card.rings_nm, card.ring_sigma_nm, card.max_orders, card.pixel_size_nm
        )

    @property
    def radius_px(self) -> int:
        """Half a window that holds all rings to where they have faded."""
        reach_nm = max(self.radii_nm) + 2 * self.sigma_nm
        return math.ceil(reach_nm / self.pixel_size_nm)

    @property
    def features(self) -> list[tuple[int, int]]:
        """(ring, order) of each complex harmonic, in the order of the features."""
        return [
            (ring, order)
            for ring, highest in enumerate(self.max_orders)
            for order in range(highest + 1)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class DrawnRings:
    """Rings on a window's pixels, about several places within its middle pixel."""

    bases: NDArray[np.float32]
    """(`OFFSET_STEPS`², window pixels, 2 · features): about offsets down and to the
    right. Real and imaginary parts alternate, so that a product of windows with a basis
    can be viewed as complex."""
    signs: NDArray[np.float32]
    """(`MIRRORS`, 2 · features): what turns the harmonics of mirrored windows into
    those of the windows."""

    @classmethod
    def of(cls, rings: Rings) -> "DrawnRings":
        """The rings, drawn."""
        steps = (np.arange(OFFSET_STEPS) + 0.5) / (2 * OFFSET_STEPS)
        side_px = 2 * rings.radius_px + 1
        shape = (OFFSET_STEPS**2, side_px**2, len(rings.features))
        bases = np.empty(shape, np.complex64)
        for basis, (down, right) in zip(bases, product(steps, steps), strict=True):
            _draw(rings, down, right, basis)
        return cls(bases.view(np.float32), _signs(rings))

    def harmonics(
        self, subimages: SubImages, threads: int = 1
    ) -> NDArray[np.complex64]:
        """Harmonics of each sub-image about its atom: (N, features).

        Parameters
        ----------
        subimages
            Their windows as wide as the rings are drawn.
        threads
            That take one basis after the other, each a product of its own: how many
            they are does not change a bit of the result.
        """
        result = np.empty((len(subimages), self.bases.shape[2]), np.float32)
        place = _place(subimages.offset)
        order = np.argsort(place, kind="stable")
        count = len(self.bases) * len(MIRRORS)
        groups = np.split(order, np.searchsorted(place[order], np.arange(1, count)))

        def describe(number: int) -> None:
            first = number * len(MIRRORS)
            mirrored = groups[first : first + len(MIRRORS)]
            chosen = np.concatenate(mirrored)
            rows = self._flat(subimages, mirrored) @ self.bases[number]
            rows *= np.repeat(self.signs, [len(one) for one in mirrored], axis=0)
            result[chosen] = rows

        with ThreadPoolExecutor(threads) as pool:
            deque(pool.map(describe, range(len(self.bases))), maxlen=0)
        return result.view(np.complex64)

    def _flat(
        self, subimages: SubImages, mirrored: list[NDArray[np.intp]]
    ) -> NDArray[np.float32]:
        """(n, window pixels): those to be mirrored in each way, one behind another."""
        flat = np.empty((sum(map(len, mirrored)), self.bases.shape[1]), np.float32)
        start = 0
        for mirror, chosen in zip(MIRRORS, mirrored, strict=True):
            windows = subimages.windows(chosen, mirror)
            flat[start : start + len(chosen)] = windows.reshape(-1, flat.shape[1])
            start += len(chosen)
        return flat


def _place(offset: NDArray[np.float64]) -> NDArray[np.intp]:
    """(N,): number of the basis drawn nearest to each offset, and of its mirror."""
    steps = np.floor(np.abs(offset) * (2 * OFFSET_STEPS)).astype(np.intp)
    down, right = np.minimum(steps, OFFSET_STEPS - 1).T
    up, left = (offset < 0).T
    return np.asarray((down * OFFSET_STEPS + right) * len(MIRRORS) + 2 * up + left)


def _signs(rings: Rings) -> NDArray[np.float32]:
    """(mirrors, 2 · features), see `DrawnRings.signs`.

    Upside down, θ becomes -θ: the conjugate. Left to right, it becomes π - θ: the
    conjugate times (-1)^m.
    """
    odd = np.array([(-1) ** order for _, order in rings.features], np.float32)
    signs = np.ones((len(MIRRORS), len(odd), 2), np.float32)
    for sign, (down, right) in zip(signs, MIRRORS, strict=True):
        if right < 0:
            sign *= odd[:, None]
        sign[:, 1] *= down * right
    return signs.reshape(len(MIRRORS), -1)


def _draw(
    rings: Rings, down_px: float, right_px: float, basis: NDArray[np.complex64]
) -> None:
    """Fill (window pixels, features) with rings about one offset."""
    axis = np.arange(-rings.radius_px, rings.radius_px + 1, dtype=np.float64)
    x = (axis[None, :] - right_px) * rings.pixel_size_nm
    y = -(axis[:, None] - down_px) * rings.pixel_size_nm
    radius, theta = np.hypot(x, y).reshape(-1, 1), np.arctan2(y, x).reshape(-1, 1)
    waves = np.exp(-1j * theta * np.arange(max(rings.max_orders) + 1))
    first = 0
    for radius_nm, highest in zip(rings.radii_nm, rings.max_orders, strict=True):
        profile = np.exp(-0.5 * ((radius - radius_nm) / rings.sigma_nm) ** 2)
        end = first + highest + 1
        basis[:, first:end] = profile / profile.sum() * waves[:, : highest + 1]
        first = end


def turned(
    coefficients: NDArray[np.complex64], angle_rad: NDArray[np.float32], rings: Rings
) -> NDArray[np.complex64]:
    """Harmonics of the same sub-images turned counter-clockwise by `angle_rad` (N,)."""
    orders = np.array([order for _, order in rings.features], np.float32)
    phase = np.exp(-1j * angle_rad[:, None] * orders).astype(np.complex64)
    return np.asarray(coefficients * phase, np.complex64)
