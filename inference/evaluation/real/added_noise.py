"""Real frames made noisier, by the noise that they have themselves."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve, gaussian_filter

from inference.refinement.noise import Noise, noise_from_residuals

SECOND_DIFFERENCES = np.outer([1.0, -2.0, 1.0], [1.0, -2.0, 1.0]) / 6
"""Blind to whatever varies smoothly; white noise keeps its standard deviation."""
SMOOTH_NM = 0.05


def noise_of(image: NDArray[np.float32], pixel_size_nm: float) -> Noise:
    """Variance of a pixel by its grey value, from the image itself.

    Notes
    -----
    The squares of second differences along rows and columns (Immerkær, Comput. Vis.
    Image Underst. 64, 300 (1996)), by the grey value of the smoothed image.
    """
    rough = convolve(image.astype(np.float64), SECOND_DIFFERENCES, mode="nearest")
    inner = (slice(2, -2), slice(2, -2))
    mean = smoothed(image, pixel_size_nm)[inner]
    return noise_from_residuals(mean.ravel(), rough[inner].astype(np.float32).ravel())


def noisier(
    image: NDArray[np.float32],
    pixel_size_nm: float,
    factor: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """The image with `factor` times its noise: bright pixels gain more, as in counts.

    Parameters
    ----------
    factor
        Of the standard deviation, at least 1.
    """
    variance = noise_of(image, pixel_size_nm).variance(smoothed(image, pixel_size_nm))
    extra = np.sqrt((factor**2 - 1) * variance)
    return np.asarray(image + extra * rng.standard_normal(image.shape), np.float32)


def smoothed(image: NDArray[np.float32], pixel_size_nm: float) -> NDArray[np.float32]:
    """The mean grey value around each pixel."""
    width = SMOOTH_NM / pixel_size_nm
    return np.asarray(gaussian_filter(image, width, mode="nearest"), np.float32)
