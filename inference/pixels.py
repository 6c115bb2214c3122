"""A frame's pixels made fit for analysis, and what had to be said about them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.analysis import Flag
from streamer.frame import Completeness, Frame

FEWEST_DROPPED = 2
"""Last rows of one value that are no chance: one may be vacuum, without a count."""
LARGEST = 1e30
"""Beyond this, sums of squares of float32 pixels would overflow."""


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """The rows that belong to the frame, as finite float32."""

    image: NDArray[np.float32]
    """(rows, cols): the valid ones, without those that were dropped."""
    flags: tuple[Flag, ...]

    @property
    def worth_analysing(self) -> bool:
        """Whether there could be anything to find."""
        return self.image.size > 0 and Flag.CONSTANT not in self.flags


def pixels_of(frame: Frame) -> Pixels:
    """The frame's own rows, down to where a scan that says it is complete dropped.

    NaN and infinity are replaced by the median of the rest.
    """
    flags = []
    if frame.completeness is not Completeness.COMPLETE:
        flags.append(Flag.PARTIAL)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        image = frame.image[: frame.valid_rows].astype(np.float32, order="C")
    finite = np.isfinite(image)
    np.clip(image, -LARGEST, LARGEST, out=image)
    if not finite.all():
        flags.append(Flag.NOT_FINITE)
        image[~finite] = np.median(image[finite]) if finite.any() else 0
    if image.size == 0 or image.min() == image.max():
        flags.append(Flag.CONSTANT)
    elif frame.completeness is Completeness.COMPLETE:
        scanned = _scanned(image)
        if len(image) - scanned >= FEWEST_DROPPED:
            flags.append(Flag.CONSTANT_ROWS)
            image = image[:scanned]
    return Pixels(image, tuple(flags))


def _scanned(image: NDArray[np.float32]) -> int:
    """Rows before the last ones that are all one value: there the scan dropped."""
    if np.ptp(image[-1]) > 0:
        return len(image)
    differs = (image != image[-1, -1]).any(axis=1)
    return int(np.flatnonzero(differs)[-1]) + 1
