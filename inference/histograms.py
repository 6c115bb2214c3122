"""The histograms of a frame, in bins that are the model's."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from inference.card import EncoderCard
from streamer.atoms import Atoms
from streamer.histogram import Histogram, histogram

ANGLE = "angle_rad"
PRIOR_REACH = 5.0
"""To both sides of zero, for latents of which the card says nothing: five standard
deviations of their prior."""
ORDER = (0.0, 1.0)
"""Of crystallinity."""
WIDENED = 0.5
"""To both sides, as a share of the range that is worth drawing."""

type Ranges = Mapping[str, tuple[float, float]]


def ranges_of(card: EncoderCard) -> Ranges:
    """From where to where each quantity is counted, the same for all frames.

    The angle through its period, 0 in the middle as in tables; a latent by the range
    that the decoder's card gives, with room to spare.
    """
    ranges = dict.fromkeys(card.latents, (-PRIOR_REACH, PRIOR_REACH))
    ranges["crystallinity"] = ORDER
    decoder = card.decoder
    if decoder and decoder.ranges:
        drawn = zip(decoder.latents, decoder.ranges, strict=True)
        ranges |= {name: _widened(low, high) for name, (low, high) in drawn}
    half = card.angle_period_rad / 2
    return {ANGLE: (-half, half), **ranges}


def histograms_of(atoms: Atoms, ranges: Ranges) -> dict[str, Histogram]:
    """All atoms, those at the frame's edge too, by angle and by each latent."""
    return {
        name: histogram(_values(atoms, name, ends), *ends)
        for name, ends in ranges.items()
    }


def _values(atoms: Atoms, name: str, ends: tuple[float, float]) -> NDArray[np.floating]:
    if name != ANGLE:
        return atoms.latents[name]
    low, high = ends
    # In double precision: a single one just below the period would be rounded to it.
    return (atoms.angle_rad.astype(np.float64) - low) % (high - low) + low


def _widened(low: float, high: float) -> tuple[float, float]:
    room = WIDENED * (high - low)
    return low - room, high + room
