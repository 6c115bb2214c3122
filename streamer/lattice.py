"""How the lattice constant changes over the frames of a stream."""

import numpy as np
from numpy.typing import NDArray


def lattice_drift_percent(
    constant_nm: NDArray[np.floating],
    pixel_size_nm: NDArray[np.floating],
    estimated: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Change of the lattice constant against the first frame that has one, in percent.

    It belongs to a series of frames and not to an analysis, which knows no other frame.

    Parameters
    ----------
    constant_nm
        (N,) in the order of the frames; NaN where there is no lattice.
    pixel_size_nm
        (N,): what was used.
    estimated
        (N,): it was estimated from the frame's own lattice. By that scale every lattice
        is graphene's, so such frames are compared in pixels, and with each other only.

    Returns
    -------
    (N,), NaN where there is no lattice.
    """
    drift = np.full(len(constant_nm), np.nan)
    in_pixels = np.asarray(constant_nm / pixel_size_nm, np.float64)
    for alike, length in ((~estimated, constant_nm), (estimated, in_pixels)):
        seen = np.flatnonzero(alike & np.isfinite(length))
        if len(seen):
            drift[seen] = 100 * (length[seen] / length[seen[0]] - 1)
    return drift
