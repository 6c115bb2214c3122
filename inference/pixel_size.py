"""How large the pixels of a frame are, from the lattice that it shows."""

import numpy as np
from numpy.typing import NDArray

from inference.card import DcnnCard
from inference.honeycomb import FEWEST, Honeycomb, honeycomb_of
from inference.locate import locate
from inference.quality import BOND_NM, is_graphene, unsure
from inference.segment import segment
from inference.spectrum import candidates
from inference.tiles import Network

CANDIDATES = 4
"""Pixel sizes at which the network is tried."""
ROUNDS = 3
LONGEST_NM = 16.0
"""Side of the part of a frame that the network looks at: 10,000 atoms are enough."""
AGREED = 0.03
"""The network is tried again at a size that differs by more."""


def estimate_pixel_size(
    image: NDArray[np.float32], card: DcnnCard, network: Network
) -> float | None:
    """Side of a pixel in nm, if the frame shows graphene; None if it cannot be told.

    Parameters
    ----------
    image
        (rows, cols): the frame, finite.

    Notes
    -----
    The spectrum proposes, the network and the lattice of its atoms decide: noise and
    other materials have rings too, but no honeycomb of one kind of atom. The bond then
    gives the size. It depends on nothing but the frame.
    """
    for candidate in candidates(image, CANDIDATES):
        size = candidate.pixel_size_nm
        window = _middle(image[candidate.window], LONGEST_NM / size)
        for _ in range(ROUNDS):
            measured = _measured(window, size, card, network)
            if measured is None:
                break
            if abs(np.log(measured / size)) < AGREED:
                return measured
            size = measured
    return None


def _middle(image: NDArray[np.float32], longest_px: float) -> NDArray[np.float32]:
    """Of a part that is larger than need be, the middle."""
    sides = [min(side, int(longest_px)) for side in image.shape]
    first = [(side - kept) // 2 for side, kept in zip(image.shape, sides, strict=True)]
    rows, cols = (slice(at, at + kept) for at, kept in zip(first, sides, strict=True))
    return np.ascontiguousarray(image[rows, cols])


def _measured(
    image: NDArray[np.float32], pixel_size_nm: float, card: DcnnCard, network: Network
) -> float | None:
    """The size by the bonds that the network sees when it is told another."""
    maps = segment(image, pixel_size_nm, card, network)
    if maps is None:
        return None
    peaks = locate(maps.carbon, maps.silicon, card)
    if len(peaks) < FEWEST or unsure(peaks.score):
        return None
    shape = image.shape[0], image.shape[1]
    honeycomb = honeycomb_of(maps.grid.to_frame(peaks.rowcol), shape)
    return _size(honeycomb) if is_graphene(image, honeycomb) else None


def _size(honeycomb: Honeycomb) -> float:
    """By the median bond of atoms amid three others."""
    whole = honeycomb.whole
    around = honeycomb.rowcol[honeycomb.nearest[whole]]
    bonds = np.linalg.norm(around - honeycomb.rowcol[whole, None], axis=-1)
    return BOND_NM / float(np.median(bonds))
