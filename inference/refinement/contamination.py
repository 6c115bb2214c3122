"""Where single atoms can be fitted.

Not where something bright hides the sheet, and not at the border, where atoms beyond
it, which nobody has seen, shine in.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    binary_dilation,
    gaussian_filter,
    gaussian_filter1d,
    maximum_filter,
    minimum_filter,
)

from inference.refinement.canvas import COARSE, MARGIN_PX, Canvas

DARK_NM = 0.03
"""Smoothing that keeps the middle of a hexagon dark and averages noise out."""
SMOOTH_NM = 0.06
"""The same, where a single dark place is looked for rather than the darkest parts."""
HEXAGON_NM = 0.34
"""Side of a square that never lies in the sheet without a middle of a hexagon in it,
nor without a dark place where two Si are neighbours."""
BRIGHTER = 1.0
"""Than the sheet's dark places, by this many times the sheet's own height above the
darkest parts."""
BORDER_NM = 0.08
"""How far from beyond the border the image of an atom reaches."""
GROWN_NM = 0.1
"""What is masked around it: its brightness does not end sharply."""
AROUND_ATOM_NM = 0.15
"""Half side of a square about an atom: together they cover the sheet, and no vacuum."""


def usable_pixels(
    canvas: Canvas, darkest: float, rowcol: NDArray[np.floating]
) -> NDArray[np.float32]:
    """(rows, cols): 1 where the frame shows the sheet or vacuum, 0 elsewhere.

    Contamination has no dark places: it is what stays bright when each pixel is
    replaced by the darkest one around it. Single bright atoms do not. How bright the
    sheet is, is told where atoms are: most of a frame may be vacuum.

    Parameters
    ----------
    darkest
        Of `darkest_grey`.
    rowcol
        (N, 2): the atoms that are seen, in pixels of the frame.
    """
    framed = canvas.inside > 0
    width = SMOOTH_NM / canvas.pixel_size_nm
    share = np.maximum(_smooth_rectangle(canvas.inside, width), 1e-3)
    smooth = np.where(framed, gaussian_filter(canvas.image, width) / share, np.inf)
    side = 2 * round(HEXAGON_NM / canvas.pixel_size_nm / 2) + 1
    floor = maximum_filter(minimum_filter(smooth, side), side)
    sheet = framed & _around(canvas, rowcol)
    if not sheet.any():
        sheet = framed
    height = float(np.median(smooth[sheet])) - darkest
    bright = framed & (floor > float(np.median(floor[sheet])) + BRIGHTER * height)
    if bright.any():
        steps = max(1, round(GROWN_NM / canvas.pixel_size_nm))
        bright = binary_dilation(bright, iterations=steps)
    steps = round(BORDER_NM / canvas.pixel_size_nm)
    inner = minimum_filter(canvas.inside, 2 * steps + 1)
    return np.where(bright, np.float32(0), inner)


def _around(canvas: Canvas, rowcol: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(rows, cols): pixels about one of the atoms."""
    row, col = np.rint(canvas.from_frame(rowcol)).astype(np.intp).T
    there = np.zeros(canvas.shape, bool)
    last = np.array(canvas.shape) - 1
    there[row.clip(0, last[0]), col.clip(0, last[1])] = True
    side = 2 * round(AROUND_ATOM_NM / canvas.pixel_size_nm) + 1
    return np.asarray(maximum_filter(there, side))


def _smooth_rectangle(inside: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """The frame's rectangle, smoothed: a product of two profiles."""
    rows, cols = (gaussian_filter1d(inside.max(axis=axis), width) for axis in (1, 0))
    return np.asarray(rows[:, None] * cols)


def darkest_grey(canvas: Canvas) -> float:
    """Grey value of vacuum, or of the middle of the hexagons where there is none."""
    framed = (slice(MARGIN_PX, -MARGIN_PX - COARSE),) * 2
    smooth = gaussian_filter(canvas.image[framed], DARK_NM / canvas.pixel_size_nm)
    return float(np.percentile(smooth, 1))
