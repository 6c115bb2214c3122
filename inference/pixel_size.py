"""How large the pixels of a frame are, from the lattice that it shows."""

import numpy as np
from numpy.typing import NDArray

from inference.card import DcnnCard
from inference.honeycomb import FEWEST, honeycomb_of
from inference.lattice import BOND_NM
from inference.locate import locate
from inference.quality import is_graphene, unsure
from inference.segment import segment
from inference.spectrum import candidates
from inference.tiles import Network

CANDIDATES = 4
"""Pixel sizes at which the network is tried."""
ROUNDS = 3
"""In which the network looks at the same place, each at the size told by the last."""
LOOKS = 6
"""In all: also a frame that shows nothing costs no more."""
SIDE_NM = 8.0
"""Of the part of a frame that the network looks at: 2,400 atoms are enough."""
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
    gives the size. It depends on nothing but the frame, and costs at most `LOOKS` runs
    of the network over a square of `SIDE_NM`.
    """
    looks = LOOKS
    for candidate in candidates(image, CANDIDATES):
        size = candidate.pixel_size_nm
        part = _about(image, candidate.window, SIDE_NM / size)
        for _ in range(min(ROUNDS, looks)):
            looks -= 1
            measured = _measured(part, size, card, network)
            if measured is None:
                break
            if abs(np.log(measured / size)) < AGREED:
                return measured
            size = measured
    return None


def _about(
    image: NDArray[np.float32], window: tuple[slice, slice], side_px: float
) -> NDArray[np.float32]:
    """The square about the middle of a window, moved or cut to lie in the image."""
    parts = []
    for side, span in zip(image.shape, window, strict=True):
        kept = min(side, int(side_px))
        centred = (span.start + span.stop - kept) // 2
        first = min(max(0, centred), side - kept)
        parts.append(slice(first, first + kept))
    return np.ascontiguousarray(image[parts[0], parts[1]])


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
    return BOND_NM / honeycomb.bond if is_graphene(image, honeycomb) else None
