"""Expected grey values of a frame, from its atoms and the probe."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from inference.refinement.canvas import COARSE, MARGIN_PX, block_mean
from inference.refinement.probe import Probe

WINDOW_SIGMA = 2.6
"""Half side of an atom's window in widths of the core."""


LEAST_SHARE = np.float32(0.2)
"""Of a tail inside the frame, from which the rest of it is inferred."""
AT_ONCE = 400
"""Atoms drawn in one go."""


@dataclass(frozen=True, slots=True, eq=False)
class AtomState:
    """The atoms of the fit; positions in pixels of the canvas."""

    rowcol: NDArray[np.float64]
    """(N, 2)"""
    amplitude: NDArray[np.float64]
    """(N,): sum of the atom's image over all pixels."""
    silicon: NDArray[np.bool_]
    """(N,)"""

    def __len__(self) -> int:
        return len(self.amplitude)


@dataclass(frozen=True, slots=True)
class Optics:
    """What all atoms of the frame share, in pixels and grey values of the canvas."""

    sigma: tuple[float, float]
    """Of the core, (row, col)."""
    tail_fraction: float
    tail_sigma: float
    background: float

    @classmethod
    def of(cls, probe: Probe, pixel_size_nm: float, background: float) -> "Optics":
        """The same probe in pixels."""
        return cls(
            (probe.sigma_row_nm / pixel_size_nm, probe.sigma_col_nm / pixel_size_nm),
            probe.tail_fraction,
            probe.tail_sigma_nm / pixel_size_nm,
            background,
        )

    def probe(self, pixel_size_nm: float) -> Probe:
        """The same probe in nm."""
        row, col = self.sigma
        return Probe(
            row * pixel_size_nm,
            col * pixel_size_nm,
            self.tail_fraction,
            self.tail_sigma * pixel_size_nm,
        )

    @property
    def reach(self) -> int:
        """Half side of an atom's window; it never leaves the canvas's margin."""
        return min(math.ceil(WINDOW_SIGMA * max(self.sigma) - 0.5), MARGIN_PX - 4)


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """The core around each atom, as products of a profile along rows and columns."""

    corner: NDArray[np.intp]
    """(N, 2): first pixel of each window."""
    profile: tuple[NDArray[np.float32], NDArray[np.float32]]
    """Along (row, col), (N, side) each."""
    slope: tuple[NDArray[np.float32], NDArray[np.float32]]
    """Its derivative by the atom's position."""

    @property
    def side(self) -> int:
        """Pixels along a window."""
        return int(self.profile[0].shape[1])


def stamps_of(rowcol: NDArray[np.float64], optics: Optics) -> Stamps:
    """Windows of the core around positions, (N, 2), on the canvas."""
    corner = np.rint(rowcol).astype(np.intp) - optics.reach
    steps = np.arange(2 * optics.reach + 1)
    row, col = (
        gaussian(corner[:, axis, None] + steps - rowcol[:, axis, None], sigma)
        for axis, sigma in enumerate(optics.sigma)
    )
    return Stamps(corner, (row[0], col[0]), (row[1], col[1]))


def gaussian(
    distance: NDArray[np.float64], sigma: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A normalised Gaussian and its derivative by the centre, at pixel - centre."""
    away = distance.astype(np.float32)
    value = np.exp(away**2 * np.float32(-0.5 / sigma**2))
    value *= np.float32(1 / (math.sqrt(2 * math.pi) * sigma))
    return value, np.asarray(value * away * np.float32(1 / sigma**2), np.float32)


def splat(
    stamps: Stamps, amplitude: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Sum of all cores, as if nothing were in the tails."""
    image = np.zeros(shape, np.float32)
    width, side = shape[1], stamps.side
    steps = np.arange(side)
    within = steps[:, None] * width + steps
    row, col = stamps.profile
    row = row * amplitude[:, None].astype(np.float32)
    # Strip by strip from above, so that what is being summed stays in the cache.
    order = np.argsort(stamps.corner[:, 0], kind="stable")
    for start in range(0, len(order), AT_ONCE):
        chosen = order[start : start + AT_ONCE]
        top, bottom = stamps.corner[chosen[[0, -1]], 0] + [0, side]
        values = row[chosen, :, None] * col[chosen, None, :]
        first = (stamps.corner[chosen] - [top, 0]) @ [width, 1]
        index = first[:, None, None] + within
        pixels = (bottom - top) * width
        strip = np.bincount(index.ravel(), values.ravel(), pixels)
        image[top:bottom] += strip.reshape(-1, width)
    return image


def tails(
    core: NDArray[np.float32], inside: NDArray[np.float32], optics: Optics
) -> NDArray[np.float32]:
    """The image if all were in the tails: the cores, blurred on a coarse grid.

    Parameters
    ----------
    inside
        (rows, cols): 1 in the frame; beyond it the sheet goes on as it is inside.
    """
    variance = optics.tail_sigma**2 - (optics.sigma[0] ** 2 + optics.sigma[1] ** 2) / 2
    wider = math.sqrt(max(variance, 1.0)) / COARSE
    blurred = gaussian_filter(block_mean(core, COARSE), wider, mode="constant")
    # The frame is a rectangle: what of a tail is in it is a product of two profiles.
    rows, cols = (
        gaussian_filter1d(
            inside.max(axis=axis).reshape(-1, COARSE).mean(axis=1),
            wider,
            mode="constant",
        )
        for axis in (1, 0)
    )
    share = rows[:, None] * cols
    whole = np.asarray(blurred / np.maximum(share, LEAST_SHARE), np.float32)
    return enlarge(whole, core.shape)


def enlarge(coarse: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A coarse map on all pixels, interpolated linearly."""
    size = (shape[1], shape[0])
    return np.asarray(
        Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR), np.float32
    )
