"""What decoders draw, for pages: the dashboard itself knows no models."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dashboard.manifold import DrawManifold, Manifold
from streamer.analysis import ModelId
from streamer.errors import ModelError

if TYPE_CHECKING:
    from inference.decode import Decoder

STEPS = 11
"""Images along each axis."""

MOST_TILE_PX = 40
"""Side of an image; what a decoder draws larger is averaged down."""


def manifold_drawer(own_models: Callable[[], Iterable[Path]]) -> DrawManifold:
    """A function that draws what a model's latents mean, if its files are at hand.

    Parameters
    ----------
    own_models
        Folders to look into besides the models that are shipped.
    """

    def draw(model: ModelId) -> Manifold:
        try:
            from inference.catalogue import find_by_hash, shipped_models
            from inference.decode import load_decoder
        except ImportError as error:
            raise ModelError(f"decoders cannot be run here: {error}") from error
        folder = find_by_hash(model.sha256, (*shipped_models().values(), *own_models()))
        if folder is None:
            raise ModelError(f"the files of {model.name} are not at hand")
        return manifold_of(load_decoder(str(folder)))

    return draw


def manifold_of(decoder: "Decoder") -> Manifold:
    """Images over the plane of the first two latents, evenly spaced.

    Raises
    ------
    ModelError
        The decoder takes one latent only.
    """
    from inference.decode import plane, reach

    latents = decoder.card.latents
    if len(latents) < 2:
        raise ModelError(f"the decoder draws one latent, {latents[0]}, and no plane")
    x, y = (np.linspace(*reach(decoder.card, latent), STEPS) for latent in (0, 1))
    tiles = plane(decoder, x, y)
    return Manifold((latents[0], latents[1]), picture(tiles), edges(x), edges(y))


def picture(tiles: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Tiles (rows, cols, side, side) as one picture on one grey scale.

    The first row of tiles is the lowest, as that of the picture's pixels; within a
    tile the first row is the top one.
    """
    low, high = float(tiles.min()), float(tiles.max())
    grey = (255 * (tiles - low) / max(high - low, 1e-9)).astype(np.uint8)
    small = np.array([[shrunk(tile) for tile in row] for row in grey])
    rows, cols, side, _ = small.shape
    upright = small[:, :, ::-1].transpose(0, 2, 1, 3)
    return np.ascontiguousarray(upright.reshape(rows * side, cols * side))


def shrunk(tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A tile averaged down to `MOST_TILE_PX`, or as it is."""
    if len(tile) <= MOST_TILE_PX:
        return tile
    size = (MOST_TILE_PX, MOST_TILE_PX)
    return np.asarray(Image.fromarray(tile).resize(size, Image.Resampling.BOX))


def edges(middles: NDArray[np.float64]) -> tuple[float, float]:
    """Where the first of evenly spaced tiles begins, and where the last one ends."""
    half = (middles[1] - middles[0]) / 2
    return float(middles[0] - half), float(middles[-1] + half)
