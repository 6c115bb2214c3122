"""What the peer's network learns from: simulated patches with a disc on each atom."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from streamer.simulator.microscope import scaled_microscope
from streamer.simulator.movie import Exposure, Movie, simulate

BACKGROUND = 2
"""AtomAI wants its number to be the last: 0 is C, 1 Si."""
DISC_PX = 3
"""Radius of the disc on an atom; neighbours are 9 px apart."""
SIDE_PX = 128
MOVIES = 4
FRAME_PX, FIELD_NM = 1024, 16.0
SEED = 1000
"""Of the first movie; none of those that are measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Images and labels to learn from."""

    images: NDArray[np.float32]
    """(N, side, side), each frame from 0 to 1 as the peer scales what it is given."""
    labels: NDArray[np.uint8]
    """(N, side, side)."""


def draw_patches() -> Patches:
    """Every patch of the first frame of each of some movies, the same each time."""
    microscope = scaled_microscope(FRAME_PX, FIELD_NM, dose=1.0)
    movie = Movie(frames=1, microscope=microscope)
    exposures = [
        exposure
        for seed in range(SEED, SEED + MOVIES)
        for exposure in islice(simulate(movie, seed), 1)
    ]
    images = [tile for shot in exposures for tile in tiles(_to_unit(shot.image))]
    labels = [tile for shot in exposures for tile in tiles(label(shot))]
    return Patches(np.stack(images), np.stack(labels))


def label(exposure: Exposure) -> NDArray[np.uint8]:
    """(rows, cols): the class of each pixel, discs around the true positions."""
    truth = exposure.truth
    rows, cols = exposure.image.shape
    labels = np.full((rows, cols), BACKGROUND, np.uint8)
    reach = np.arange(-DISC_PX, DISC_PX + 1)
    for row, col, species in zip(
        np.rint(truth.row_px).astype(int),
        np.rint(truth.col_px).astype(int),
        truth.species,
        strict=True,
    ):
        dy, dx = np.meshgrid(reach, reach, indexing="ij")
        inside = dy**2 + dx**2 <= DISC_PX**2
        y, x = row + dy[inside], col + dx[inside]
        seen = (y >= 0) & (y < rows) & (x >= 0) & (x < cols)
        labels[y[seen], x[seen]] = species
    return labels


def tiles(
    image: NDArray[np.generic], side: int = SIDE_PX
) -> Iterator[NDArray[np.generic]]:
    """Squares that cover the image, without overlap."""
    rows, cols = image.shape
    for row in range(0, rows - side + 1, side):
        for col in range(0, cols - side + 1, side):
            yield image[row : row + side, col : col + side]


def _to_unit(image: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = image.min(), image.max()
    return np.asarray((image - low) / (high - low), np.float32)
