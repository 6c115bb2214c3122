"""Windows cut from the probability map, one around each atom."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SubImages:
    """One window an atom, on whole pixels, and where in it the atom really is.

    Windows are cut when they are asked for: all at once they take more memory than the
    map.
    """

    everywhere: NDArray[np.float32]
    """(rows, cols, side, side): the window around each pixel of the map, a view; 0
    beyond the frame."""
    middle: NDArray[np.intp]
    """(N, 2): the pixel on which each atom is."""
    offset: NDArray[np.float64]
    """(N, 2): the atom's (row, col) from the middle pixel of its window, within ± 0.5;
    of an even number of pixels the middle one is the later."""
    edge: NDArray[np.bool_]
    """(N,): the window reaches past the frame by more than a pixel."""

    def __len__(self) -> int:
        return len(self.middle)

    def windows(
        self,
        chosen: slice | NDArray[np.intp] = slice(None),
        mirror: tuple[int, int] = (1, 1),
    ) -> NDArray[np.float32]:
        """(n, side, side): copies of those that are chosen.

        Parameters
        ----------
        mirror
            -1 along rows turns them upside down, along columns left to right.
        """
        row, col = self.middle[chosen].T
        down, right = mirror
        return np.asarray(self.everywhere[:, :, ::down, ::right][row, col])


def shrink(image: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Mean over blocks of `factor`² pixels; beyond the last row there is nothing."""
    image = np.pad(image, [(0, -side % factor) for side in image.shape])
    rows = len(image) // factor
    # Neighbours in memory last: sums of whole rows are what NumPy is quick at.
    down = np.add.reduce(image.reshape(rows, factor, -1), axis=1)
    total = np.add.reduce([down[:, first::factor] for first in range(factor)], axis=0)
    return np.asarray(total / np.float32(factor**2), np.float32)


def shrunk_position(rowcol: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """(N, 2) positions on an image → on that image `shrink`-ed."""
    return np.asarray((rowcol + 0.5) / factor - 0.5)


def cut(
    image: NDArray[np.float32],
    rowcol: NDArray[np.float64],
    side_px: int,
    valid_shape: tuple[float, float],
) -> SubImages:
    """Windows of `side_px` pixels a side around atoms.

    Parameters
    ----------
    image
        (rows, cols): map to cut from.
    rowcol
        (N, 2): atoms inside it.
    valid_shape
        (rows, cols) that belong to the frame; the rest of `image` is padding.
    """
    middle = middle_pixels(image.shape, rowcol)
    padded = np.pad(image, side_px // 2)
    to_border = np.minimum(rowcol, np.array(valid_shape) - 1 - rowcol).min(axis=1)
    return SubImages(
        everywhere=sliding_window_view(padded, (side_px, side_px)),
        middle=middle,
        offset=rowcol - middle,
        edge=to_border < side_px / 2 - 1,
    )


def middle_pixels(
    shape: tuple[int, ...], rowcol: NDArray[np.float64]
) -> NDArray[np.intp]:
    """(N, 2): the pixels of an image on which atoms are, and windows centred."""
    return np.clip(np.rint(rowcol).astype(np.intp), 0, np.array(shape) - 1)
