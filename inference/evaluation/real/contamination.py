"""Where a real frame shows contamination instead of the sheet."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label

SMOOTH_NM = 0.1
"""Little enough that the rim of a patch stays where it is: atoms beside it are real."""
HEXAGON_NM = 0.03
"""Smoothing that keeps the middle of a hexagon dark."""
BRIGHTER = 3.0
"""Contamination is at least this many times as bright as the sheet."""
BRIGHTEST_PERCENT = 99.5
SMALLEST_NM2 = 0.5
"""A smaller patch is a Si, or a few beside each other."""


def contaminated(image: NDArray[np.float32], pixel_size_nm: float) -> NDArray[np.bool_]:
    """(rows, cols): True where the frame, smoothed, is far brighter than the sheet.

    A patch ends where it is half as bright as the brightest of the frame, counted from
    the sheet. The sheet is as bright as the median; brightness is counted from the
    darkest percentile, since the offset of a real frame is not known.
    """
    fine = gaussian_filter(image, HEXAGON_NM / pixel_size_nm, mode="nearest")
    dark = float(np.percentile(fine, 1))
    smooth = gaussian_filter(image, SMOOTH_NM / pixel_size_nm, mode="nearest")
    sheet, brightest = np.percentile(smooth, (50, BRIGHTEST_PERCENT))
    least = max(dark + BRIGHTER * (sheet - dark), (sheet + brightest) / 2)
    patches, count = label(smooth > least)
    area_nm2 = np.bincount(patches.ravel(), minlength=count + 1) * pixel_size_nm**2
    large = area_nm2 >= SMALLEST_NM2
    large[0] = False  # what is no patch
    return np.asarray(large[patches], np.bool_)
