"""Sub-images of one pattern, turned, about which everything is known."""

import math

import numpy as np
from numpy.typing import NDArray

from inference.paper_methods.sub_images import WIDE_PX, SubImages


def three_spots(angle_rad: NDArray[np.floating]) -> NDArray[np.float32]:
    """(N, WIDE_PX, WIDE_PX): an atom and its three neighbours, turned by each angle."""
    axis = np.arange(WIDE_PX) - WIDE_PX // 2
    right, up = axis[None, None, :], -axis[None, :, None]
    image = np.exp(-(right**2 + up**2) / 8) * np.ones((len(angle_rad), 1, 1))
    for arm in range(3):
        towards = angle_rad + arm * 2 * math.pi / 3
        x, y = (9 * each(towards)[:, None, None] for each in (np.cos, np.sin))
        image = image + np.exp(-((right - x) ** 2 + (up - y) ** 2) / 8)
    return image.astype(np.float32)


def turned_copies(count: int, *, sublattices: bool = False) -> SubImages:
    """Sub-images of one pattern at random angles, or at two that are 60° apart."""
    rng = np.random.default_rng(7)
    angle = rng.uniform(-math.pi / 3, math.pi / 3, count)
    if sublattices:
        angle = rng.choice([-0.2, math.pi / 3 - 0.2], count)
    noise = rng.normal(0, 0.02, (count, WIDE_PX, WIDE_PX))
    return SubImages(
        wide=(three_spots(angle) + noise).astype(np.float32),
        described=np.zeros((count, 1), np.float32),
        angle_rad=angle.astype(np.float32),
        psi3=np.ones(count, np.float32),
        order=rng.random(count).astype(np.float32),
        frame=np.zeros(count, np.intp),
    )
