"""The frame in numbers, over time (Fig. 7 of the paper)."""

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity."""

    label: str
    """With its unit."""
    lines: tuple[Line, ...]
    least: float
    """Length of the axis, where values differ by less."""


@style.styled
def trends(panels: Sequence[Panel], timeline: Timeline) -> Figure:
    """A panel for each quantity, in reading order."""
    rows = -(-len(panels) // COLUMNS)
    figure = style.new_figure(1.75 * rows + 0.5)
    grid = figure.subplots(rows, COLUMNS, squeeze=False, sharex=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for number, (axes, panel) in enumerate(zip(grid.flat, panels, strict=False)):
        draw_lines(axes, panel.lines, timeline)
        axes.set_ylabel(panel.label)
        widen(axes, panel.least)
        whole = _whole(panel.lines)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=whole))
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


def widen(axes: Axes, least: float) -> None:
    """Let the value axis be at least so long, and begin at 0 rather than below."""
    low, high = axes.get_ylim()
    more = max(least - (high - low), 0) / 2
    low, high = low - more, high + more
    if low < 0:
        low, high = 0, high - low if more else high
    axes.set_ylim(low, high)


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
