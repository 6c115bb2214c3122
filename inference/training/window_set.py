"""Sub-images as the paper cuts them: square windows, and what to read them by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inference.describe import Windows
from inference.training.subimage_set import SubImageSet

SIDE_PX = 32
type WindowSize = Literal["small", "large"]
WINDOWS_NM: Mapping[WindowSize, float] = {"small": 0.016, "large": 0.032}
"""Size of a pixel of each: windows of 0.5 nm, an atom with its three neighbours and
some of the next; or twice as wide, the hexagons around an atom and all they touch."""


def windows_of(size: WindowSize, maps_nm: float) -> Windows:
    """Such windows, from maps of this pixel size in nm."""
    return Windows(SIDE_PX, maps_nm, WINDOWS_NM[size])


@dataclass(frozen=True, slots=True, eq=False)
class WindowSet:
    """One row an atom."""

    windows: NDArray[np.float32]
    """(N, side, side): probability of an atom, 0..1."""
    angle_rad: NDArray[np.float32]
    """(N,): orientation by which the network's angle is to be read, counter-clockwise
    on the screen, modulo 2π/3: the true one or, where no truth is known, that of the
    detected neighbours. NaN where there is none."""
    order: NDArray[np.float32]
    """(N,): order by which the content latents are to be read, 0..1: likewise."""

    def __len__(self) -> int:
        return len(self.windows)

    @classmethod
    def of(cls, data: SubImageSet) -> "WindowSet":
        """Sub-images that were described by windows."""
        return cls(data.rows, data.angle_rad, data.crystallinity)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows of a set to train on, and rows to test on."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]


def drawn_split(count: int, test_share: float, seed: int) -> Split:
    """`count` rows, of which a share, 0..1, is kept from training."""
    drawn = np.random.default_rng(seed).permutation(count)
    kept = round(test_share * count)
    return Split(train=np.sort(drawn[kept:]), test=np.sort(drawn[:kept]))
