"""What the encoder says of atoms, where they are (Fig. 6 of the paper)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from atomstream.report.figures import style
from atomstream.report.figures.view import View, draw_values, say_nothing

MARGIN_IN = 0.9
"""For the colour bars."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a quantity is coloured, in all frames alike."""

    label: str
    limits: tuple[float, float]
    cyclic: bool


@style.styled
def real_space(
    views: Sequence[View],
    values: Sequence[Mapping[str, NDArray[np.float64]]],
    scales: Mapping[str, Scale],
) -> Figure:
    """A row for each quantity, a column for each frame, a colour bar for each row.

    Parameters
    ----------
    values
        Of each view: (N,) by quantity, in the unit of its scale; a quantity that is
        missing is another model's.
    """
    widest = max(view.size_nm[1] for view in views)
    tallest = max(view.size_nm[0] for view in views)
    panel_in = (style.WIDTH_IN - MARGIN_IN) / max(len(views), 2)
    figure = style.new_figure(len(scales) * (panel_in * tallest / widest + 0.08) + 0.4)
    grid = figure.subplots(len(scales), len(views), squeeze=False)
    for row, (name, scale) in zip(grid, scales.items(), strict=True):
        colours = style.cyclic() if scale.cyclic else style.sequential()
        drawn = None
        for axes, view, known in zip(row, views, values, strict=True):
            if name in known:
                drawn = draw_values(axes, view, known[name], colours, scale.limits)
            else:
                say_nothing(axes, view, "another model")
            style.bare(axes)
            style.add_scale_bar(axes, view.size_nm[1], view.unit, style.INK)
        if drawn is not None:
            bar = figure.colorbar(drawn, ax=list(row), aspect=30, pad=0.01)
            bar.set_label(style.plain(scale.label))
            bar.outline.set_visible(False)
            if scale.cyclic:
                bar.set_ticks(np.linspace(*scale.limits, 5).tolist())
    for axes, view in zip(grid[0], views, strict=True):
        axes.set_title(view.title)
    return figure
