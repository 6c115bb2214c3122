"""The frame in numbers, over time (Fig. 7 of the paper)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from atomstream.report.figures import style
from atomstream.report.figures.over_time import add_dose, mark
from atomstream.report.timeline import Timeline

COLUMNS = 2
MOST_MARKERS = 150
"""Frames of which each has a mark on its line."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One number of each frame."""

    values: NDArray[np.float64]
    """(N,), NaN where it is unknown."""
    colour: str
    name: str = ""
    """For the key, where a panel has several."""
    sigma: NDArray[np.float64] | None = None
    """(N,): standard uncertainty."""


@style.styled
def trends(panels: Mapping[str, tuple[Line, ...]], timeline: Timeline) -> Figure:
    """A panel for each quantity, by its label with the unit."""
    rows = -(-len(panels) // COLUMNS)
    figure = style.new_figure(1.75 * rows + 0.5)
    grid = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for number, (axes, (label, lines)) in enumerate(
        zip(grid.flat, panels.items(), strict=False)
    ):
        draw_lines(axes, lines, timeline)
        axes.set_ylabel(label)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=_whole(lines)))
        axes.grid(visible=True, axis="y")
        axes.set_axisbelow(True)
        mark(axes, timeline)
        if number < COLUMNS:
            add_dose(axes, timeline)
        if number + COLUMNS < len(panels):
            axes.set_xlabel("")
        else:
            axes.tick_params(labelbottom=True)
    figure.align_ylabels()
    return figure


def draw_lines(axes: Axes, lines: tuple[Line, ...], timeline: Timeline) -> None:
    """Lines that break where frames are missing."""
    at, breaks = _broken(timeline)
    marker = "." if len(timeline.at) <= MOST_MARKERS else ""
    for line in lines:
        values = np.insert(line.values, breaks, np.nan)
        axes.plot(
            at, values, color=line.colour, linewidth=1.2, marker=marker, markersize=4,
            label=line.name,
        )  # fmt: skip
        if line.sigma is not None:
            low, high = line.values - line.sigma, line.values + line.sigma
            axes.fill_between(
                at, np.insert(low, breaks, np.nan), np.insert(high, breaks, np.nan),
                color=line.colour, alpha=0.2, linewidth=0,
            )  # fmt: skip
    if any(line.name for line in lines):
        axes.legend(loc="best")


def _broken(
    timeline: Timeline,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Places with one more, NaN, in each gap, and before which these are."""
    breaks = 1 + np.flatnonzero(timeline.starts[1:] > timeline.ends[:-1])
    return np.insert(timeline.at, breaks, np.nan), breaks


def _whole(lines: tuple[Line, ...]) -> bool:
    """Whether there are whole numbers alone: of atoms."""
    known = np.concatenate([line.values[np.isfinite(line.values)] for line in lines])
    return bool((known == np.rint(known)).all())
