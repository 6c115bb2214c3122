"""Why rotation must be taken out: class images that are each other turned (fig. S1)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from atomstream.report.figures import style
from atomstream.report.figures.methods_compared import MINUS, number
from atomstream.report.figures.mosaic import draw_tiles
from inference.paper_methods.study import Studied

LEAK, APART, TURNED = "#b8304f", "white", "#0c6f8d"
KEYS = (
    Line2D([], [], marker="D", linestyle="", color=LEAK, label="rotation leak R²"),
    Line2D(
        [], [], marker="o", linestyle="", color=TURNED, markerfacecolor=APART,
        label="similarity of class images",
    ),
    Line2D(
        [], [], marker="o", linestyle="", color=TURNED, label="… when one is turned"
    ),
)  # fmt: skip
TILES_WIDE, WORDS_WIDE = 3.0, 1.6
LOWEST, HIGHEST = -0.28, 1.05
ROW_IN = 0.42
PAIR_IN = 1.12


@style.styled
def rotation(studied: Sequence[Sequence[Studied]]) -> Figure:
    """A column for each window: figures of all methods, and their most equal pairs.

    Parameters
    ----------
    studied
        For each window, all methods.
    """
    most = max(len(each) for each in studied)
    height = ROW_IN * most + 0.8 + PAIR_IN * most
    figure = style.new_figure(height)
    places = figure.add_gridspec(
        2, 1, height_ratios=(ROW_IN * most + 0.8, PAIR_IN * most)
    )
    above, below = (figure.add_subfigure(places[row]) for row in (0, 1))
    dots = above.subplots(1, len(studied), squeeze=False, sharey=False)[0]
    for axes, each in zip(dots, studied, strict=True):
        _draw_figures(axes, each)
    above.legend(handles=list(KEYS), loc="outside upper right", ncols=3)
    ratios = [TILES_WIDE, WORDS_WIDE] * len(studied)
    cells = below.subplots(most, len(ratios), squeeze=False, width_ratios=ratios)
    for axes in cells.flat:
        style.bare(axes)
    for number_of, each in enumerate(studied):
        for row, one in zip(cells, each, strict=False):
            _draw_pair(row[2 * number_of], row[2 * number_of + 1], one)
    return figure


def _draw_figures(axes: Axes, studied: Sequence[Studied]) -> None:
    height = np.arange(len(studied))[::-1]
    for place, one in zip(height, studied, strict=True):
        told = one.figures
        ends = [told.class_similarity, told.class_similarity_turned]
        axes.plot(ends, [place, place], color=TURNED, linewidth=1.2, zorder=1)
        axes.plot(ends[0], place, "o", color=TURNED, markerfacecolor=APART, zorder=2)
        axes.plot(ends[1], place, "o", color=TURNED, zorder=2)
        axes.plot(told.rotation_leak, place + 0.22, "D", color=LEAK, markersize=5)
    axes.set_yticks(height, [one.method.name for one in studied])
    axes.set(xlim=(LOWEST, HIGHEST), ylim=(-0.5, len(studied) - 0.3))
    axes.axvline(0, color=style.LINE, linewidth=0.8, zorder=0)
    axes.axvline(1, color=style.LINE, linewidth=0.8, zorder=0)
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"{studied[0].window} windows")
    axes.set_xlabel("R², or structural similarity")


def _draw_pair(axes: Axes, beside: Axes, one: Studied) -> None:
    """Two class images, and the first of them turned as suits best."""
    copy = one.turned_copy
    if copy is None:
        beside.text(0, 0.5, f"{one.method.name}: one class")
        return
    images = np.stack([one.classes[copy.second], one.classes[copy.first], copy.turned])
    draw_tiles(axes, images, 3, highest=float(images[:2].max()))
    likeness, turn = copy.likeness, copy.likeness.turn_deg
    words = (
        f"alike: {number(likeness.as_they_are)}",
        f"second turned by {turn - 360 * (turn > 180):.0f}°:".replace("-", MINUS),
        f"{number(likeness.turned)}",
    )
    beside.text(0, 0.74, one.method.name, va="center", fontweight="bold")
    beside.text(0, 0.38, "\n".join(words), va="center", fontsize=7.5)
