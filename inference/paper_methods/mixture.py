"""A Gaussian mixture of sub-images, fitted at once."""

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from inference.paper_methods.method import Images, Method
from inference.paper_methods.sub_images import SubImages
from inference.paper_methods.told import Told

COMPONENTS = 16
"""As many as the paper's authors took."""
BINNED = 2
"""Pixels that are taken together along each axis: a quarter of the numbers and of the
time, and atoms are still three of them wide in the large windows."""
FEWEST_EACH = 8
"""Sub-images for each component; of fewer there are fewer components."""


def fit_mixture(images: SubImages, learnt: NDArray[np.bool_], seed: int) -> Method:
    """A mixture of Gaussians with a variance for each pixel, of those `learnt` (N,).

    Content is how far a sub-image belongs to each component. The plane that is shown
    is that of the two principal components.
    """
    windows = images.windows
    flat = _flat(windows)
    components = max(2, min(COMPONENTS, int(learnt.sum()) // FEWEST_EACH))
    mixture = GaussianMixture(
        components, covariance_type="diag", reg_covar=1e-4, random_state=seed
    )
    principal = PCA(2, svd_solver="covariance_eigh")
    with threadpool_limits(1):  # as in `study`
        mixture.fit(flat[learnt])
        principal.fit(flat[learnt])
    often = np.argsort(-mixture.weights_)

    def shares(windows: Images) -> NDArray[np.float32]:
        every = mixture.predict_proba(_flat(windows))
        return np.asarray(every[:, often], np.float32)

    return Method(
        name="GMM",
        learnt_from="these sub-images",
        tell=lambda images: Told(shares(images.windows)),
        plane=lambda images, _told: principal.transform(_flat(images.windows)),
        axes=("principal component 1", "component 2"),
        classes=lambda told: np.asarray(told.content.argmax(axis=1), np.intp),
        parts=_means(windows[learnt], shares(windows[learnt])),
    )


def _means(windows: Images, shares: NDArray[np.float32]) -> Images:
    """(k, side, side): of each component, by how far windows belong to it (N, k)."""
    total = np.tensordot(shares, windows, axes=(0, 0))
    weight = np.maximum(shares.sum(axis=0), 1e-9)
    return np.asarray(total / weight[:, None, None], np.float32)


def _flat(windows: Images) -> NDArray[np.float32]:
    """(N, pixels): on pixels as wide as `BINNED` of them."""
    side = windows.shape[1] // BINNED
    blocks = windows.reshape(len(windows), side, BINNED, side, BINNED)
    return blocks.mean(axis=(2, 4)).reshape(len(windows), -1)
