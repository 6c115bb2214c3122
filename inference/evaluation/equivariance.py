"""Whether the angle follows when a sub-image is turned."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter

from inference.analyse import Analyser
from inference.evaluation.comparison import Comparison
from inference.evaluation.scoring import BULK
from inference.harmonics import harmonics
from inference.segment import segment
from inference.subimages import SubImages, halved_position

ATOMS = 150
TURNS = 16


def equivariance_deg(
    analyser: Analyser,
    image: NDArray[np.float32],
    compared: Comparison,
    rng: np.random.Generator,
) -> float:
    """Mean absolute error of the change of the angle, modulo the model's period.

    Sub-images of the bulk are turned by known angles, anywhere in a full turn, about
    their atom; the probability map in between its pixels is a cubic spline.

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
    before = _angles(analyser, spline, where, 0.0)
    period = card.encoder.angle_period_rad
    errors = []
    for turn_rad in rng.uniform(-math.pi, math.pi, TURNS):
        off = _angles(analyser, spline, where, turn_rad) - before - turn_rad
        errors.append(np.abs(off - period * np.round(off / period)))
    return math.degrees(float(np.mean(errors)))


def _bulk(compared: Comparison, rng: np.random.Generator) -> NDArray[np.float64]:
    """Some atoms of the bulk, (N, 2), where the network has them, pixels."""
    found, true = compared.whole
    found = found[compared.truth.crystallinity[true] > BULK]
    chosen = rng.permutation(found)[:ATOMS]
    atoms = compared.atoms
    return np.stack(
        [atoms.row_net_px[chosen], atoms.col_net_px[chosen]], axis=1
    ).astype(np.float64)


def _angles(
    analyser: Analyser,
    spline: NDArray[np.float64],
    rowcol: NDArray[np.float64],
    turn_rad: float,
) -> NDArray[np.float64]:
    """(N,) angles that the model tells of turned sub-images."""
    windows = turned_windows(spline, rowcol, analyser.rings.radius_px, turn_rad)
    described = harmonics(windows, analyser.bases).view(np.float32)
    return analyser.model.encode(described)[0].astype(np.float64)


def turned_windows(
    spline: NDArray[np.float64],
    rowcol: NDArray[np.float64],
    radius_px: int,
    turn_rad: float,
) -> SubImages:
    """Sub-images as from the halved map, had the sheet been turned about each atom.

    Parameters
    ----------
    spline
        (rows, cols): coefficients of a cubic spline through the map.
    rowcol
        (N, 2): atoms on the map.
    radius_px
        In pixels of the halved map.
    turn_rad
        Counter-clockwise on the screen.
    """
    halved = halved_position(rowcol)
    centre = np.rint(halved)
    # The four pixels of the map that one pixel of a window is the mean of.
    axis = np.arange(-2 * radius_px, 2 * radius_px + 2)
    row = 2 * centre[:, 0, None, None] + axis[:, None] - rowcol[:, 0, None, None]
    col = 2 * centre[:, 1, None, None] + axis[None, :] - rowcol[:, 1, None, None]
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    # Rows grow downward: what was turned counter-clockwise came from clockwise.
    from_row = cos * row + sin * col + rowcol[:, 0, None, None]
    from_col = cos * col - sin * row + rowcol[:, 1, None, None]
    values = map_coordinates(spline, [from_row, from_col], prefilter=False)
    side = 2 * radius_px + 1
    blocks = np.asarray(values).reshape(len(rowcol), side, 2, side, 2)
    return SubImages(
        windows=blocks.mean(axis=(2, 4)).astype(np.float32),
        offset=(halved - centre).astype(np.float32),
        edge=np.zeros(len(rowcol), bool),
    )
