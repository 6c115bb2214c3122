"""Windows cut from the probability map, one around each atom."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SubImages:
    """One window an atom, on whole pixels, and where in it the atom really is."""

    windows: NDArray[np.float32]
    """(N, side, side); 0 beyond the frame."""
    offset: NDArray[np.float64]
    """(N, 2): the atom's (row, col) from the middle pixel of its window, within ± 0.5;
    of an even number of pixels the middle one is the later."""
    edge: NDArray[np.bool_]
    """(N,): the window reaches past the frame by more than a pixel."""

    def __len__(self) -> int:
        return len(self.windows)


def halve(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over blocks of 2 x 2 pixels; beyond an odd side there is nothing."""
    image = np.pad(image, [(0, side % 2) for side in image.shape])
    return np.asarray(
        (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4
    )


def halved_position(rowcol: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2) positions on an image → on that image `halve`d."""
    return np.asarray((rowcol - 0.5) / 2)


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
    centre = middle_pixels(image.shape, rowcol)
    padded = np.pad(image, side_px // 2)
    windows = sliding_window_view(padded, (side_px, side_px))
    to_border = np.minimum(rowcol, np.array(valid_shape) - 1 - rowcol).min(axis=1)
    return SubImages(
        windows=windows[centre[:, 0], centre[:, 1]],
        offset=rowcol - centre,
        edge=to_border < side_px / 2 - 1,
    )


def middle_pixels(
    shape: tuple[int, ...], rowcol: NDArray[np.float64]
) -> NDArray[np.intp]:
    """(N, 2): the pixels of an image on which atoms are, and windows centred."""
    return np.clip(np.rint(rowcol).astype(np.intp), 0, np.array(shape) - 1)
