"""Frame, probabilities, atoms, beside each other (Fig. 2 of the paper)."""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from atomstream.report.figures import style
from atomstream.report.figures.view import (
    Box,
    View,
    draw_image,
    draw_probabilities,
    draw_species,
    show_box,
    zoom_to,
)

DRAWN = (draw_image, draw_probabilities, draw_species)
TITLES = ("frame", "probability", "atoms")
PANEL_IN = style.WIDTH_IN / 3


@style.styled
def probabilities(view: View, detail: Box | None) -> Figure:
    """Three panels of one frame, and beneath them a part of it enlarged.

    Parameters
    ----------
    detail
        What is enlarged; None for a field that is small anyway.
    """
    rows = 1 if detail is None else 2
    height, width = view.size_nm
    tall = PANEL_IN * (height / width + (rows - 1)) + 0.35
    figure = style.new_figure(tall)
    ratios = [height / width, 1.0][:rows]
    grid = figure.subplots(rows, 3, squeeze=False, height_ratios=ratios)
    for axes, draw, title in zip(grid[0], DRAWN, TITLES, strict=True):
        draw(axes, view)
        axes.set_title(title)
        style.bare(axes)
        style.add_scale_bar(axes, width, view.unit)
        if detail is not None:
            show_box(axes, detail)
    if detail is not None:
        for axes, draw in zip(grid[1], DRAWN, strict=True):
            draw(axes, view)
            zoom_to(axes, detail)
            style.bare(axes)
            style.add_scale_bar(axes, detail.side_nm, view.unit)
    keys = [
        Line2D([], [], marker="o", linestyle="", color=colour, label=name)
        for name, colour in zip(("C", "Si"), style.GLOW, strict=True)
    ]
    figure.legend(handles=keys, loc="outside upper right", ncols=2)
    figure.suptitle(view.title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    return figure
