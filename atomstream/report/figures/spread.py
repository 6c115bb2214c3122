"""A quantity of all atoms: its histogram, and its density over time with ridges."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from atomstream.report.figures import style
from atomstream.report.figures.over_time import mark
from atomstream.report.timeline import Timeline
from inference.densities import Bins, Ridges

SLICES = 8
"""Moments of which the density stands by itself."""
OVERLAP = 1.5
"""Of these curves: how many rows their highest reaches."""
DARKEST_PERCENT = 99.5
"""Of the densities: a bin beyond is as dark."""
ANGLE_TICKS = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A quantity over time, in rows of one frame or of a few."""

    label: str
    """With its unit."""
    bins: Bins
    density: NDArray[np.float64]
    """(rows, bins): per unit, NaN where nothing was counted."""
    ridges: Ridges
    timeline: Timeline
    """Of the rows."""
    first: NDArray[np.intp]
    """(rows,): the first frame in each."""


@style.styled
def whole(
    density: NDArray[np.float64], course: Course, peaks: Sequence[float]
) -> Figure:
    """The density over all atoms of all frames, its peaks, and its course.

    Parameters
    ----------
    density
        (bins,) of the whole stack.
    peaks
        To be marked; none, or two.
    """
    figure = style.new_figure(6.2)
    places = figure.add_gridspec(2, 2, height_ratios=[1, 1.3], width_ratios=[2.2, 1])
    draw_whole(figure.add_subplot(places[0, :]), density, course, peaks)
    heat, curves = (figure.add_subplot(places[1, column]) for column in (0, 1))
    draw_course(heat, curves, course)
    return figure


@style.styled
def over_time(courses: Sequence[Course]) -> Figure:
    """Density and ridges over time, and curves of some moments, a row a quantity."""
    figure = style.new_figure(2.7 * len(courses))
    grid = figure.subplots(len(courses), 2, squeeze=False, width_ratios=[2.2, 1])
    for (heat, curves), course in zip(grid, courses, strict=True):
        draw_course(heat, curves, course)
    return figure


def draw_whole(
    axes: Axes, density: NDArray[np.float64], course: Course, peaks: Sequence[float]
) -> None:
    """One curve, filled; marks at its peaks."""
    middles = course.bins.middles
    axes.fill_between(middles, density, color=style.SPECIES[0], alpha=0.25, linewidth=0)
    axes.plot(middles, density, color=style.SPECIES[0], linewidth=1.2)
    for peak in peaks:
        axes.axvline(peak, color=style.SERIES[0], linewidth=1, linestyle="--")
        words = f"{peak:.1f}°".replace("-", "\N{MINUS SIGN}")
        axes.annotate(
            words, (peak, 1), xycoords=("data", "axes fraction"),
            xytext=(3, -2), textcoords="offset points", va="top", color=style.SERIES[0],
        )  # fmt: skip
    axes.set(
        xlim=(course.bins.low, course.bins.high), ylim=(0, None),
        xlabel=style.plain(course.label), ylabel=density_label(course),
    )  # fmt: skip
    if course.bins.cyclic:
        axes.xaxis.set_major_locator(MultipleLocator(ANGLE_TICKS))


def density_label(course: Course) -> str:
    """Of an axis."""
    return "atoms, share per degree" if course.bins.cyclic else "atoms, share per unit"


def draw_course(heat: Axes, curves: Axes, course: Course) -> None:
    """The density of each frame as a heat map with its ridges, and some as curves."""
    draw_heat(heat, course)
    draw_curves(curves, course)


def draw_heat(axes: Axes, course: Course) -> None:
    """Darker where there are more atoms; dots along the ridges."""
    timeline, density = course.timeline, course.density
    edges, columns = _columns(timeline, density)
    known = density[np.isfinite(density)]
    darkest = float(np.percentile(known, DARKEST_PERCENT)) if known.size else 1.0
    mesh = axes.pcolormesh(
        edges, course.bins.edges, np.ma.masked_invalid(columns).T,
        cmap=style.density(), norm=PowerNorm(0.5, 0, max(darkest, 1e-9)),
        rasterized=True,
    )  # fmt: skip
    axes.plot(
        timeline.at[course.ridges.row], course.ridges.value, linestyle="", marker=".",
        markersize=2.5, color=style.SPECIES[1], label="ridge", rasterized=True,
    )  # fmt: skip
    mark(axes, timeline)
    axes.set(ylabel=style.plain(course.label), ylim=(course.bins.low, course.bins.high))
    if course.bins.cyclic:
        axes.yaxis.set_major_locator(MultipleLocator(ANGLE_TICKS))
    bar = axes.figure.colorbar(mesh, ax=axes, pad=0.01, aspect=25)
    bar.set_label(density_label(course))
    bar.outline.set_visible(False)


def draw_curves(axes: Axes, course: Course) -> None:
    """Densities of some frames above each other, the first at the bottom."""
    count = len(course.density)
    chosen = np.unique(
        np.linspace(0, count - 1, min(SLICES, count)).round().astype(int)
    )
    chosen = chosen[np.isfinite(course.density[chosen]).all(axis=1)]
    middles = course.bins.middles
    for place, row in reversed(list(enumerate(chosen))):
        curve = place + OVERLAP * course.density[row] / course.density[row].max()
        axes.fill_between(middles, place, curve, color="white", alpha=0.85, linewidth=0)
        axes.fill_between(
            middles, place, curve, color=style.SPECIES[0], alpha=0.3, linewidth=0
        )
        axes.plot(middles, curve, color=style.SPECIES[0], linewidth=0.9)
    axes.set_yticks(
        range(len(chosen)), [f"{course.first[row]}" for row in chosen], minor=False
    )
    axes.set(
        xlabel=style.plain(course.label),
        ylabel="frame",
        xlim=(course.bins.low, course.bins.high),
    )
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if course.bins.cyclic:
        axes.xaxis.set_major_locator(MultipleLocator(ANGLE_TICKS))


def _columns(
    timeline: Timeline, density: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges along time, and a row of `density` or of NaN between each two."""
    edges, rows = [timeline.starts[0]], []
    for start, end, row in zip(timeline.starts, timeline.ends, density, strict=True):
        if start > edges[-1]:
            edges.append(start)
            rows.append(np.full_like(row, np.nan))
        edges.append(end)
        rows.append(row)
    return np.array(edges), np.array(rows)
