"""Where something bright hides the sheet, and single atoms cannot be fitted."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter

from inference.refinement.canvas import COARSE, MARGIN_PX, Canvas, block_mean

SMOOTH_NM = 0.25
"""Over some fifteen atoms: a single Si does not look like contamination."""
BRIGHTER = 1.0
"""Than the sheet, by this many times the sheet's own height above the darkest parts."""
DARK_NM = 0.03
"""Smoothing that keeps the middle of a hexagon dark and averages noise out."""
GROWN_NM = 0.2
"""What is masked around it: its brightness does not end sharply."""


def usable_pixels(canvas: Canvas) -> NDArray[np.float32]:
    """(rows, cols): 1 where the frame shows the sheet or vacuum, 0 elsewhere."""
    side = canvas.pixel_size_nm * COARSE
    inside = block_mean(canvas.inside, COARSE)
    grey = block_mean(canvas.image, COARSE)
    width = SMOOTH_NM / side
    share = np.maximum(gaussian_filter(inside, width), 1e-3)
    smooth = gaussian_filter(grey, width) / share
    framed = inside > 0.5
    darkest = darkest_grey(canvas)
    sheet = float(np.median(smooth[framed]))
    bright = framed & (smooth > sheet + BRIGHTER * (sheet - darkest))
    if bright.any():
        bright = binary_dilation(bright, iterations=max(1, round(GROWN_NM / side)))
    hidden = np.repeat(np.repeat(bright, COARSE, axis=0), COARSE, axis=1)
    return np.where(hidden, np.float32(0), canvas.inside)


def darkest_grey(canvas: Canvas) -> float:
    """Grey value of vacuum, or of the middle of the hexagons where there is none."""
    framed = (slice(MARGIN_PX, -MARGIN_PX - COARSE),) * 2
    smooth = gaussian_filter(canvas.image[framed], DARK_NM / canvas.pixel_size_nm)
    return float(np.percentile(smooth, 1))
