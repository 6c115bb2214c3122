"""Colours, type and scale of all figures of a report, on paper."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import colorcet
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

INK = "#16202b"
MUTED = "#526173"
LINE = "#d5dce4"
NO_VALUE = "#b9c2cc"
"""An atom whose angle or latent is NaN."""
SPECIES = ("#0c6f8d", "#c26a00")
"""C, Si, on paper."""
GLOW = ((0.337, 0.780, 0.910), (1.0, 0.702, 0.278))
"""C, Si, as light on black: red, green, blue."""
SERIES = ("#b8304f", "#6b3fc4", "#1f7a4d", "#0c6f8d")
"""Hole area, crystallinity, lattice, density."""
GAP = "#ff5c5c"
MARK = "#6b3fc4"
"""Where the model changes."""

WIDTH_IN = 10.0
"""Of every figure, so that type is as large in all of them."""
BAR_SHARE = 0.22
"""Of the width of a map that a scale bar takes at most."""
ROUND = (1, 2, 5)

STYLE: Mapping[Any, Any] = MappingProxyType(
    {
        "font.family": "DejaVu Sans",  # comes with Matplotlib: the same everywhere
        "font.size": 8.5,
        "text.color": INK,
        "axes.titlesize": 9,
        "axes.titlelocation": "left",
        "axes.titlepad": 4,
        "axes.labelsize": 8.5,
        "axes.labelcolor": INK,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "grid.color": LINE,
        "grid.linewidth": 0.6,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.frameon": False,
        "legend.fontsize": 8,
        "image.interpolation": "auto",
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "svg.hashsalt": "atomstream",  # the same figure, the same bytes
        "svg.fonttype": "path",
    }
)

styled = matplotlib.rc_context(dict(STYLE))
"""Decorator of every function that draws, and of what writes figures: their look, and
nobody else's."""


def new_figure(height_in: float) -> Figure:
    """An empty figure of the common width."""
    return Figure(figsize=(WIDTH_IN, height_in), layout="constrained")


def cyclic() -> Colormap:
    """For angles: ends where it begins, of even lightness (CET-C6, as on the page)."""
    return _with_gap(ListedColormap(colorcet.cyclic_rygcbmr_50_90_c64, "angle"))


def sequential() -> Colormap:
    """For order, from dark to light (as on the page)."""
    return _with_gap(ListedColormap(colorcet.linear_bmy_10_95_c71, "order"))


def density() -> Colormap:
    """For how many atoms have a value: white where there are none."""
    ends = ["#ffffff", "#a5d1e1", "#4f9fbc", "#0b6e8c", "#021c26"]
    return _with_gap(LinearSegmentedColormap.from_list("density", ends), "#ffffff00")


def glow(
    carbon: NDArray[np.float32], silicon: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(rows, cols, 3) picture of two maps of probability: cyan and orange on black."""
    of_carbon, of_silicon = (np.array(colour, np.float32) for colour in GLOW)
    light = carbon[..., None] * of_carbon + silicon[..., None] * of_silicon
    return np.clip(light, 0, 1)


def plain(text: str) -> str:
    """Text that is drawn as it is, whatever a session or a card says."""
    return text.replace("$", r"\$")


def add_scale_bar(
    axes: Axes, width: float, unit: str = "nm", colour: str = "white"
) -> None:
    """A round length in the lower left corner of a map that is so wide."""
    length = round_length(BAR_SHARE * width)
    dark = "black" if colour == "white" else "white"
    rim = [withStroke(linewidth=2.5, foreground=dark)]
    left, right = 0.04, 0.04 + length / width
    axes.plot(
        [left, right], [0.05, 0.05], color=colour, linewidth=2.5,
        transform=axes.transAxes, solid_capstyle="butt",
        path_effects=[withStroke(linewidth=4, foreground=dark)],
    )  # fmt: skip
    axes.text(
        (left + right) / 2, 0.065, f"{length:g} {unit}", color=colour, ha="center",
        va="bottom", transform=axes.transAxes, path_effects=rim,
    )  # fmt: skip


def round_length(most: float) -> float:
    """The largest of 1, 2, 5, 10, … that is not longer than `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in ROUND if step * power <= most * (1 + 1e-9))


def bare(axes: Axes) -> None:
    """No ticks and no frame: a map with a scale bar needs none."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _with_gap(colours: Colormap, gap: str = NO_VALUE) -> Colormap:
    return colours.with_extremes(bad=gap)
