"""What a method takes to be alike: mean images of the classes of its latents."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import rotate
from skimage.metrics import structural_similarity
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from inference.training.latent_figures import Told

CLASSES = 6
MOST = 150
"""Of a class's sub-images that are averaged."""


def class_images(
    windows: NDArray[np.float32], told: Told, seed: int
) -> NDArray[np.float32]:
    """(CLASSES, side, side): mean sub-image of each cluster of the content.

    For a method that tells an orientation, each sub-image is turned back by it before
    it is averaged.

    Parameters
    ----------
    windows
        (N, side, side), N at least `CLASSES`.
    """
    scaled = StandardScaler().fit_transform(told.content.astype(np.float64))
    labels = KMeans(CLASSES, n_init=4, random_state=seed).fit_predict(scaled)
    rng = np.random.default_rng(seed)
    means = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))[:MOST]
        images = windows[members]
        if told.angle_rad is not None:
            # An atom without neighbours has no angle; it stays as it is.
            images = turned_back(images, np.nan_to_num(told.angle_rad[members]))
        means.append(images.mean(axis=0))
    return np.stack(means)


def turned_back(
    windows: NDArray[np.float32], angle_rad: NDArray[np.floating]
) -> NDArray[np.float32]:
    """(N, side, side) turned clockwise on the screen, each by its angle (N,)."""
    turned = [
        rotate(window, -np.degrees(angle), reshape=False, order=1, mode="nearest")
        for window, angle in zip(windows, angle_rad, strict=True)
    ]
    return np.stack(turned)


def mean_similarity(images: NDArray[np.float32]) -> float:
    """Mean structural similarity of all pairs of (k, side, side) images, at most 1.

    References
    ----------
    Wang et al., IEEE Trans. Image Process. 13, 600 (2004).
    """
    spread = float(np.ptp(images))
    pairs = [
        structural_similarity(first, second, data_range=spread)
        for first, second in combinations(images, 2)
    ]
    return float(np.mean(pairs))
