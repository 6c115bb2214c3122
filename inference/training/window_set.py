"""Square windows to train on, and what to read them by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.training.subimage_set import SubImageSet


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
