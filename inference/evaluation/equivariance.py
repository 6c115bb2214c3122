"""Whether the angle follows when a sub-image is turned."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter

from inference.analyse import Analyser
from inference.card import Card
from inference.evaluation.comparison import Comparison
from inference.evaluation.scoring import BULK
from inference.resample import Grid
from inference.segment import Maps, segment

ATOMS = 150
TURNS = 16
SPARE_PX = 8
"""Around what the encoder looks at, since some look a little farther than they say."""


def equivariance_deg(
    analyser: Analyser,
    image: NDArray[np.float32],
    compared: Comparison,
    rng: np.random.Generator,
) -> float:
    """Mean absolute error of the change of the angle, modulo the model's period.

    Sub-images of the bulk are turned by known angles, anywhere in a full turn, about
    their atom; between its pixels the probability map is a cubic spline.

    Parameters
    ----------
    image
        (rows, cols): a simulated frame.
    compared
        That frame, analysed.

    Returns
    -------
    Degrees; NaN if no atom is in the bulk.
    """
    card = analyser.model.card
    maps = segment(image, compared.pixel_size_nm, card.dcnn, analyser.model.segment)
    rowcol = _bulk(compared, rng)
    if maps is None or len(rowcol) == 0:
        return math.nan
    spline = np.asarray(spline_filter(maps.carbon + maps.silicon), np.float64)
    where = maps.grid.to_resampled(rowcol)
    half = _half_tile(card)
    before = _angles(analyser, *turned_tiles(spline, where, half, 0.0))
    period = card.encoder.angle_period_rad
    errors = []
    for turn_rad in rng.uniform(-math.pi, math.pi, TURNS):
        after = _angles(analyser, *turned_tiles(spline, where, half, turn_rad))
        off = after - before - turn_rad
        errors.append(np.abs(off - period * np.round(off / period)))
    return math.degrees(float(np.mean(errors)))


def _bulk(compared: Comparison, rng: np.random.Generator) -> NDArray[np.float64]:
    """Some atoms of the bulk, (N, 2), where the network has them, pixels."""
    found, true = compared.whole
    atoms = compared.atoms
    seen = np.isfinite(atoms.row_net_px[found])
    inner = compared.truth.crystallinity[true] > BULK
    chosen = rng.permutation(found[seen & inner])[:ATOMS]
    rowcol = np.stack([atoms.row_net_px[chosen], atoms.col_net_px[chosen]], axis=1)
    return rowcol.astype(np.float64)


def _half_tile(card: Card) -> int:
    return math.ceil(card.encoder.window_nm / card.dcnn.pixel_size_nm / 2) + SPARE_PX


def _angles(
    analyser: Analyser, tiles: NDArray[np.float32], rowcol: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N,) angles that the model tells of the atoms on a map of tiles."""
    shape = (tiles.shape[0], tiles.shape[1])
    maps = Maps(tiles, np.zeros_like(tiles), Grid(shape, shape))
    described = analyser.describer.describe(maps, rowcol)
    return analyser.model.encode(described.rows).angle_rad.astype(np.float64)


def turned_tiles(
    spline: NDArray[np.float64],
    rowcol: NDArray[np.float64],
    half: int,
    turn_rad: float,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A map of square tiles, in each the surroundings of one atom, turned about it.

    Parameters
    ----------
    spline
        (rows, cols): coefficients of a cubic spline through the map.
    rowcol
        (N, 2): atoms on the map.
    half
        Half the side of a tile, pixels.
    turn_rad
        Counter-clockwise on the screen.

    Returns
    -------
    The map, and where the atoms are on it, (N, 2).
    """
    corner = np.floor(rowcol) - half
    centre = rowcol - corner
    axis = np.arange(2 * half, dtype=np.float64)
    row = axis[:, None] - centre[:, 0, None, None]
    col = axis[None, :] - centre[:, 1, None, None]
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    # What is counter-clockwise now was clockwise of here before; rows grow downward.
    before = np.stack([cos * row + sin * col, cos * col - sin * row])
    before += rowcol.T[:, :, None, None]
    tiles = np.asarray(map_coordinates(spline, before, prefilter=False))
    return _side_by_side(tiles, centre)


def _side_by_side(
    tiles: NDArray[np.float64], centre: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Tiles, (N, side, side), on one map, as nearly square as they can be."""
    count, side = tiles.shape[:2]
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    whole = np.zeros((down * across, side, side), np.float32)
    whole[:count] = tiles
    joined = whole.reshape(down, across, side, side).swapaxes(1, 2)
    place = np.stack(np.divmod(np.arange(count), across), axis=1) * side
    return joined.reshape(down * side, across * side), centre + place
