"""What a method takes to be alike: mean images of the classes of its latents."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import rotate
from skimage.metrics import structural_similarity
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from inference.paper_methods.told import Told

CLASSES = 6
MOST = 150
"""Of a class's sub-images that are averaged."""
TURNS_DEG = range(0, 360, 5)
"""By which class images are turned to find out whether they are one image turned."""


def class_images(
    windows: NDArray[np.float32], told: Told, seed: int
) -> NDArray[np.float32]:
    """(CLASSES, side, side): mean sub-image of each cluster of the content.

    Parameters
    ----------
    windows
        (N, side, side), N at least `CLASSES`.
    """
    every = np.ones(len(windows), bool)
    labels = clusters(told.content, every, seed)
    return mean_images(windows, labels, told.angle_rad, seed)


def clusters(
    content: NDArray[np.floating], learnt: NDArray[np.bool_], seed: int
) -> NDArray[np.intp]:
    """(N,) which of `CLASSES` clusters each of (N, k) latents belongs to.

    Found among those `learnt` (N,) alone, of which there are as many at least.
    """
    scaler = StandardScaler().fit(content[learnt].astype(np.float64))
    scaled = scaler.transform(content.astype(np.float64))
    means = KMeans(CLASSES, n_init=4, random_state=seed).fit(scaled[learnt])
    return np.asarray(means.predict(scaled), np.intp)


def mean_images(
    windows: NDArray[np.float32],
    labels: NDArray[np.intp],
    angle_rad: NDArray[np.floating] | None,
    seed: int,
) -> NDArray[np.float32]:
    """(k, side, side): mean sub-image of each class that has any, by its label.

    For a method that tells an orientation, each sub-image is turned back by it before
    it is averaged.
    """
    rng = np.random.default_rng(seed)
    means = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))[:MOST]
        images = windows[members]
        if angle_rad is not None:
            # An atom without neighbours has no angle; it stays as it is.
            images = turned_back(images, np.nan_to_num(angle_rad[members]))
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

    NaN for one image.

    References
    ----------
    Wang et al., IEEE Trans. Image Process. 13, 600 (2004).
    """
    spread = float(np.ptp(images)) or 1.0
    pairs = [
        structural_similarity(first, second, data_range=spread)
        for first, second in combinations(images, 2)
    ]
    return float(np.mean(pairs)) if pairs else math.nan


@dataclass(frozen=True, slots=True)
class Likeness:
    """Of two images."""

    as_they_are: float
    """Structural similarity, at most 1."""
    turned: float
    """The same when the first is turned as suits best."""
    turn_deg: float
    """Counter-clockwise on the screen."""


def likeness(
    wide: NDArray[np.float32], other: NDArray[np.float32], inside: slice, spread: float
) -> Likeness:
    """How alike two (side, side) images are, and if one is turned about its middle.

    Parameters
    ----------
    inside
        Part of both axes that is compared; what turning brings in lies without.
    spread
        Of the values of all images that are compared.
    """
    target = other[inside, inside]
    found = []
    for turn_deg in TURNS_DEG:
        turned = rotate(wide, turn_deg, reshape=False, order=1, mode="nearest")
        one = turned[inside, inside]
        found.append(structural_similarity(one, target, data_range=spread))
    best = int(np.argmax(found))
    return Likeness(float(found[0]), float(found[best]), float(TURNS_DEG[best]))
