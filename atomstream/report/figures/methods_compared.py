"""What each method makes of the same sub-images (Fig. 5 of the paper)."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from atomstream.report.figures import style
from atomstream.report.figures.mosaic import add_length, draw_tiles, mosaic
from inference.paper_methods.study import Manifold, Studied
from inference.paper_methods.window_size import SIDE_PX, WINDOWS_NM

ROW_IN = 2.2
WIDTHS = (1.55, 3.0, 2.3, 2.3)
TITLES = ("", "class images", "what latents stand for", "latents, by the bonds' angle")
MINUS = "\N{MINUS SIGN}"
HALF_PERIOD_DEG = 60.0
SHOWN_PERCENT = (0.5, 99.5)
"""Of the latents that are held out, between which the scatter is drawn."""
DARK, BRIGHT = 2.0, 99.8
"""Percentiles of what a method draws that are black and white."""
BAR_NM = 0.2


@style.styled
def methods_compared(
    studied: Sequence[Studied], angle_rad: NDArray[np.floating]
) -> Figure:
    """A row for each method: words, class images, manifold, scatter.

    Parameters
    ----------
    angle_rad
        (N,): of the bonds around each sub-image; NaN where it is unknown.
    """
    figure = style.new_figure(ROW_IN * len(studied) + 0.75)
    grid = figure.subplots(
        len(studied), len(WIDTHS), squeeze=False, width_ratios=WIDTHS
    )
    for axes, title in zip(grid[0], TITLES, strict=True):
        axes.set_title(title)
    for row, one in zip(grid, studied, strict=True):
        _describe(row[0], one)
        _draw_classes(row[1], one)
        _draw_manifold(row[2], one)
        _draw_scatter(row[3], one, angle_rad)
    _add_wheel(figure, list(grid[:, 3]))
    return figure


def number(value: float, form: str = ".2f") -> str:
    """A figure in words; a dash for one that is unknown."""
    if math.isnan(value):
        return "\N{EN DASH}"
    shown = f"{value:{form}}"
    return shown.replace("-", MINUS) if float(shown) else shown.removeprefix("-")


def _describe(axes: Axes, one: Studied) -> None:
    told = one.figures
    angle = [("angle off by", number(told.angle_deg, ".1f") + "°")]
    rows = [
        ("rotation leak R²", number(told.rotation_leak)),
        ("classes alike", number(told.class_similarity)),
        ("… when turned", number(told.class_similarity_turned)),
        ("order, rank corr.", number(told.order_spearman)),
        *(angle if not math.isnan(told.angle_deg) else []),
    ]
    axes.text(0, 1, one.method.name, fontweight="bold", va="top", wrap=True)
    axes.text(
        0, 0.87, f"from {one.method.learnt_from}", color=style.MUTED, va="top",
        fontsize=7.5,
    )  # fmt: skip
    for place, (name, value) in enumerate(rows):
        height = 0.68 - 0.115 * place
        axes.text(0, height, name, va="top", color=style.MUTED)
        axes.text(0.98, height, value, va="top", ha="right")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    style.bare(axes)


def _draw_classes(axes: Axes, one: Studied) -> None:
    labels = tuple(f"{share:.0%}" for share in one.shares)
    draw_tiles(axes, one.classes, 3, labels)
    add_length(axes, SIDE_PX, BAR_NM, WINDOWS_NM[one.window])


def _draw_manifold(axes: Axes, one: Studied) -> None:
    if one.manifold is not None:
        _draw_plane(axes, one.manifold)
        axes.set_xlabel(one.method.axes[0], labelpad=1)
        axes.set_ylabel(one.method.axes[1], labelpad=1)
    elif one.method.parts is not None:
        parts = one.method.parts
        draw_tiles(axes, parts, math.ceil(math.sqrt(len(parts))))
        axes.set_xlabel(f"the means of its {len(parts)} components", labelpad=3)
    else:
        axes.text(0.5, 0.5, "no decoder", ha="center", color=style.MUTED)
        style.bare(axes)


def _draw_plane(axes: Axes, manifold: Manifold) -> None:
    """Images where their latents are, the second growing upwards."""
    upright = manifold.images[::-1]
    columns = upright.shape[1]
    picture = mosaic(upright.reshape(-1, *upright.shape[2:]), columns)
    edges = [_edges(values) for values in (manifold.firsts, manifold.seconds)]
    axes.imshow(
        picture,
        cmap="gray",
        vmin=float(np.percentile(manifold.images, DARK)),
        vmax=float(np.percentile(manifold.images, BRIGHT)),
        extent=(*edges[0], *edges[1]),
        aspect="auto",
    )
    axes.set_box_aspect(1)
    axes.locator_params(nbins=4)


def _edges(values: NDArray[np.float64]) -> tuple[float, float]:
    half = max(float(values[1] - values[0]) / 2, 1e-6)
    return float(values[0]) - half, float(values[-1]) + half


def _draw_scatter(axes: Axes, one: Studied, angle_rad: NDArray[np.floating]) -> None:
    """Held-out sub-images in the plane, each in the colour of its bonds' angle."""
    shown = one.plane[one.held_out].astype(np.float64)
    angle = wrapped_deg(angle_rad[one.held_out])
    known = np.isfinite(angle)
    (left, below), (x, y) = shown[~known].T, shown[known].T
    axes.scatter(left, below, s=4, color=style.NO_VALUE, linewidths=0, rasterized=True)
    axes.scatter(
        x, y, s=5, c=angle[known], cmap=style.cyclic(),
        vmin=-HALF_PERIOD_DEG, vmax=HALF_PERIOD_DEG, linewidths=0, alpha=0.75,
        rasterized=True,
    )  # fmt: skip
    low, high = np.percentile(shown, SHOWN_PERCENT, axis=0)
    margin = np.maximum(0.06 * (high - low), 1e-6)
    axes.set(
        xlim=(low[0] - margin[0], high[0] + margin[0]),
        ylim=(low[1] - margin[1], high[1] + margin[1]),
    )
    axes.set_xlabel(one.method.axes[0], labelpad=1)
    axes.set_ylabel(one.method.axes[1], labelpad=1)
    axes.set_box_aspect(1)
    axes.locator_params(nbins=4)


def wrapped_deg(angle_rad: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) angles within ± 60°."""
    degrees = np.degrees(angle_rad.astype(np.float64))
    period = 2 * HALF_PERIOD_DEG
    return degrees - period * np.round(degrees / period)


def _add_wheel(figure: Figure | SubFigure, axes: list[Axes]) -> None:
    colours = ScalarMappable(
        Normalize(-HALF_PERIOD_DEG, HALF_PERIOD_DEG), style.cyclic()
    )
    bar = figure.colorbar(
        colours, ax=axes, location="bottom", shrink=0.8, aspect=24, pad=0.01
    )
    bar.set_ticks([-60, -30, 0, 30, 60])
    bar.set_label("bonds, ° modulo 120°")
    bar.outline.set_visible(False)
