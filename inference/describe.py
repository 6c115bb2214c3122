"""What the encoder gets to see of each atom: a piece of the probability map around it.

Either rings of angular harmonics about the atom itself, or a square window cut on
whole pixels, as the paper and AtomAI cut it.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from inference.card import Card, EncoderCard, HarmonicsEncoderCard
from inference.harmonics import DrawnRings, Rings
from inference.resample import Grid, grid_for, resample
from inference.segment import Maps
from inference.subimages import (
    cut,
    shrink,
    shrunk_position,
)


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """The encoder's input, one row an atom."""

    rows: NDArray[np.float32]
    """(N, numbers) or (N, side, side)."""
    edge: NDArray[np.bool_]
    """(N,): what is described reaches past the frame."""


class Describer(Protocol):
    """One way to describe sub-images."""

    def describe(self, maps: Maps, rowcol: NDArray[np.float64]) -> Described:
        """The surroundings of atoms at (N, 2) positions on the maps."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Square windows of the map, the atom's pixel in their middle."""

    side_px: int
    maps_nm: float
    """Pixel size of the maps."""
    windows_nm: float
    """Pixel size of the windows."""

    def describe(self, maps: Maps, rowcol: NDArray[np.float64]) -> Described:
        """(N, side, side) windows."""
        image = maps.carbon + maps.silicon
        onto = _grid(image.shape, self.maps_nm, self.windows_nm)
        windows = cut(
            resample(image, onto), onto.to_resampled(rowcol), self.side_px, onto.shape
        )
        return Described(windows.windows(), windows.edge)


@dataclass(frozen=True, slots=True)
class Harmonics:
    """Rings of angular harmonics about the atom's exact position."""

    rings: Rings
    maps_nm: float
    """Pixel size of the maps."""
    threads: int = 1
    drawn: DrawnRings = field(init=False)
    blas: ThreadpoolController = field(init=False, default_factory=ThreadpoolController)

    def __post_init__(self) -> None:
        object.__setattr__(self, "drawn", DrawnRings.of(self.rings))

    def describe(self, maps: Maps, rowcol: NDArray[np.float64]) -> Described:
        """(N, 2 · features) real and imaginary parts of each harmonic."""
        image, where, valid = self._on_rings_pixels(maps, rowcol)
        subimages = cut(image, where, 2 * self.rings.radius_px + 1, valid)
        # Many small products: two threads would spend their time waiting for each
        # other, and their number must not decide the last bit of the result.
        with self.blas.limit(limits=1, user_api="blas"):
            rows = self.drawn.harmonics(subimages, self.threads).view(np.float32)
        return Described(rows, subimages.edge)

    def _on_rings_pixels(
        self, maps: Maps, rowcol: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], tuple[float, float]]:
        """The map at the rings' pixel size, positions on it, and its valid shape."""
        image = maps.carbon + maps.silicon
        rows, cols = image.shape
        ratio = self.rings.pixel_size_nm / self.maps_nm
        whole = round(ratio)
        if np.isclose(ratio, whole):
            valid = (rows / whole, cols / whole)
            return shrink(image, whole), shrunk_position(rowcol, whole), valid
        onto = _grid(image.shape, self.maps_nm, self.rings.pixel_size_nm)
        return resample(image, onto), onto.to_resampled(rowcol), onto.shape


def describer_of(card: Card, threads: int = 1) -> Describer:
    """The way of describing sub-images that a card's encoder wants.

    As many threads work at it; the result is the same with any number of them.
    """
    encoder: EncoderCard = card.encoder
    maps_nm = card.dcnn.pixel_size_nm
    if isinstance(encoder, HarmonicsEncoderCard):
        return Harmonics(Rings.of(encoder), maps_nm, threads)
    return Windows(encoder.side_px, maps_nm, encoder.pixel_size_nm)


def _grid(shape: tuple[int, ...], from_nm: float, to_nm: float) -> Grid:
    return grid_for((shape[0], shape[1]), from_nm, to_nm)
