"""Many small images as one picture."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from atomstream.report.figures.style import bare

GAP_PX = 2
GREY = "gray"
RIM = (withStroke(linewidth=2, foreground="black"),)


def mosaic(images: NDArray[np.floating], columns: int) -> NDArray[np.floating]:
    """(k, side, side) images in rows of as many columns, the first upper left.

    NaN between them and where there is none.
    """
    count, side = len(images), images.shape[1]
    rows, step = -(-count // columns), side + GAP_PX
    picture = np.full((rows * step - GAP_PX, columns * step - GAP_PX), np.nan)
    for number, image in enumerate(images):
        row, col = (step * place for place in divmod(number, columns))
        picture[row : row + side, col : col + side] = image
    return picture


def draw_tiles(
    axes: Axes,
    images: NDArray[np.floating],
    columns: int,
    labels: tuple[str, ...] = (),
    highest: float | None = None,
) -> None:
    """Images (k, side, side) beside each other, from black at nought to white.

    Parameters
    ----------
    labels
        One for each of the first images, in its upper left corner.
    highest
        What is white; None for the highest there is.
    """
    step = images.shape[1] + GAP_PX
    top = float(images.max()) if highest is None else highest
    axes.imshow(mosaic(images, columns), cmap=GREY, vmin=0, vmax=top or 1)
    for number, label in enumerate(labels):
        row, col = (step * place for place in divmod(number, columns))
        axes.text(
            col + 0.8,
            row + 0.8,
            label,
            color="white",
            fontsize=7,
            ha="left",
            va="top",
            path_effects=list(RIM),
        )
    bare(axes)


def add_length(axes: Axes, side_px: int, length_nm: float, pixel_nm: float) -> None:
    """A scale bar in the lower left corner of the first tile."""
    left, below = 2.0, side_px - 3.0
    right = left + length_nm / pixel_nm
    dark = [withStroke(linewidth=3.5, foreground="black")]
    axes.plot(
        [left, right],
        [below, below],
        color="white",
        linewidth=2,
        solid_capstyle="butt",
        path_effects=dark,
    )
    axes.text(
        (left + right) / 2,
        below - 1,
        f"{length_nm:g} nm",
        color="white",
        fontsize=6.5,
        ha="center",
        va="bottom",
        path_effects=list(RIM),
    )
