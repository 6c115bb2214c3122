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

OFFSET_STEPS = 8
"""Positions within a pixel, along each axis, at which the rings are drawn. With the
shipped rings each of the 64 takes 0.4 MB."""


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


def harmonics(
    subimages: SubImages, bases: NDArray[np.float32], threads: int = 1
) -> NDArray[np.complex64]:
    """Harmonics of each sub-image about its atom: (N, features).

    Parameters
    ----------
    subimages
        In ascending order of `offset_step`: those of one step lie together.
    bases
        From `ring_bases`, for windows of this size.
    threads
        That take one basis after the other, each a product of its own: how many they
        are does not change a bit of the result.
    """
    flat = subimages.windows.reshape(len(subimages), bases.shape[1])
    result = np.empty((len(flat), bases.shape[2]), np.float32)
    step = offset_step(subimages.offset)
    starts = np.searchsorted(step, np.arange(OFFSET_STEPS**2 + 1))

    def describe(basis: NDArray[np.float32], start: int, end: int) -> None:
        np.matmul(flat[start:end], basis, out=result[start:end])

    with ThreadPoolExecutor(threads) as pool:
        deque(pool.map(describe, bases, starts[:-1], starts[1:]), maxlen=0)
    return result.view(np.complex64)


def offset_step(offset: NDArray[np.float64]) -> NDArray[np.intp]:
    """(N,): which of the bases is drawn nearest to offsets (N, 2) within a pixel."""
    steps = np.floor((offset + 0.5) * OFFSET_STEPS).astype(np.intp)
    steps = np.clip(steps, 0, OFFSET_STEPS - 1)
    return np.asarray(steps[:, 0] * OFFSET_STEPS + steps[:, 1])


def ring_bases(rings: Rings) -> NDArray[np.float32]:
    """(OFFSET_STEPS², window pixels, 2 · features): rings about each offset.

    Real and imaginary parts alternate, so that a product of windows with a basis can
    be viewed as complex.
    """
    steps = (np.arange(OFFSET_STEPS) + 0.5) / OFFSET_STEPS - 0.5
    side_px = 2 * rings.radius_px + 1
    shape = (OFFSET_STEPS**2, side_px**2, len(rings.features))
    bases = np.empty(shape, np.complex64)
    for basis, (down_px, right_px) in zip(bases, product(steps, steps), strict=True):
        _draw(rings, down_px, right_px, basis)
    return bases.view(np.float32)


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
