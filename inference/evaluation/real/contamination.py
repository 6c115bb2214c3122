"""Where a real frame shows contamination instead of the sheet."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label

SMOOTH_NM = 0.25
"""Over some fifteen atoms: a single Si is not contamination."""
HEXAGON_NM = 0.03
"""Smoothing that keeps the middle of a hexagon dark."""
BRIGHTER = 2.0
"""Contamination is at least this many times as bright as the sheet."""
SMALLEST_NM2 = 0.5
"""A smaller patch is a few Si beside each other."""


def contaminated(image: NDArray[np.float32], pixel_size_nm: float) -> NDArray[np.bool_]:
    """(rows, cols): True where the frame, smoothed, is far brighter than the sheet.

    Brightness is counted from the darkest percentile of the frame, since the offset of
    a real frame is not known; the sheet is as bright as the median.
    """
    fine = gaussian_filter(image, HEXAGON_NM / pixel_size_nm, mode="nearest")
    dark = float(np.percentile(fine, 1))
    smooth = gaussian_filter(image, SMOOTH_NM / pixel_size_nm, mode="nearest")
    sheet = float(np.median(smooth)) - dark
    patches, count = label(smooth - dark > BRIGHTER * sheet)
    area_nm2 = np.bincount(patches.ravel(), minlength=count + 1) * pixel_size_nm**2
    large = area_nm2 >= SMALLEST_NM2
    large[0] = False
    return np.asarray(large[patches])
