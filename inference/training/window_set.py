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
    frame: NDArray[np.intp]
    """(N,): number of the frame that it is from."""
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
        return cls(data.rows, data.frame, data.angle_rad, data.crystallinity)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows of a set to train on, and rows to test on."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]


def drawn_split(
    frame: NDArray[np.intp], share: float, test_share: float, seed: int
) -> Split:
    """A share of the sub-images of each frame, split into training and test.

    Parameters
    ----------
    frame
        (N,): number of the frame that each is from.
    share
        Of each frame's sub-images that are used, 0..1; no frame is left without one.
    test_share
        Of those used, 0..1, that are kept from training.
    """
    rng = np.random.default_rng(seed)
    used = np.concatenate(
        [
            rng.permutation(rows)[: max(1, round(share * len(rows)))]
            for rows in (np.flatnonzero(frame == one) for one in np.unique(frame))
        ]
    )
    used = rng.permutation(used)
    kept = round(test_share * len(used))
    return Split(train=np.sort(used[kept:]), test=np.sort(used[:kept]))
