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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.card import HarmonicsEncoderCard
from inference.subimages import SubImages

OFFSET_STEPS = 8
"""Positions within a pixel, along each axis, at which the rings are drawn. With the
shipped rings each of the 64 takes a megabyte."""


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
    subimages: SubImages, bases: NDArray[np.float32]
) -> NDArray[np.complex64]:
    """Harmonics of each sub-image about its atom: (N, features).

    Parameters
    ----------
    subimages
        In ascending order of `offset_step`: those of one step lie together.
    bases
        From `ring_bases`, for windows of this size.
    """
    flat = subimages.windows.reshape(len(subimages), bases.shape[1])
    result = np.empty((len(flat), bases.shape[2] // 2), np.complex64)
    step = offset_step(subimages.offset)
    starts = np.searchsorted(step, np.arange(OFFSET_STEPS**2 + 1))
    for basis, start, end in zip(bases, starts, starts[1:], strict=False):
        result[start:end] = (flat[start:end] @ basis).view(np.complex64)
    return result


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
    return np.stack([_basis(rings, down, right) for down in steps for right in steps])


def _basis(rings: Rings, down_px: float, right_px: float) -> NDArray[np.float32]:
    axis = np.arange(-rings.radius_px, rings.radius_px + 1, dtype=np.float64)
    x = (axis[None, :] - right_px) * rings.pixel_size_nm
    y = -(axis[:, None] - down_px) * rings.pixel_size_nm
    radius, theta = np.hypot(x, y), np.arctan2(y, x)
    columns = []
    for ring, order in rings.features:
        profile = np.exp(-0.5 * ((radius - rings.radii_nm[ring]) / rings.sigma_nm) ** 2)
        profile /= profile.sum()
        columns.append((profile * np.exp(-1j * order * theta)).ravel())
    basis = np.stack(columns, axis=1).astype(np.complex64)
    return np.ascontiguousarray(basis).view(np.float32)


def turned(
    coefficients: NDArray[np.complex64], angle_rad: NDArray[np.float32], rings: Rings
) -> NDArray[np.complex64]:
    """Harmonics of the same sub-images turned counter-clockwise by `angle_rad` (N,)."""
    orders = np.array([order for _, order in rings.features], np.float32)
    phase = np.exp(-1j * angle_rad[:, None] * orders).astype(np.complex64)
    return np.asarray(coefficients * phase, np.complex64)
