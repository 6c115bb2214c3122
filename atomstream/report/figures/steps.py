"""The movie in steps: probabilities of some of its frames (Fig. 3 of the paper)."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from atomstream.report.figures import style
from atomstream.report.figures.view import View, draw_probabilities, ring_silicon

COLUMNS = 3


@style.styled
def steps(views: Sequence[View]) -> Figure:
    """Probability maps of frames, in reading order, all on one scale of length."""
    columns = min(COLUMNS, len(views))
    rows = -(-len(views) // columns)
    tallest = max(view.size_nm[0] for view in views)
    widest = max(view.size_nm[1] for view in views)
    panel_in = style.WIDTH_IN / COLUMNS
    figure = style.new_figure(rows * (panel_in * tallest / widest + 0.3))
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes in grid.flat[len(views) :]:
        axes.set_visible(False)
    for axes, view in zip(grid.flat, views, strict=False):
        draw_probabilities(axes, view)
        ring_silicon(axes, view)
        axes.set_title(view.title)
        style.bare(axes)
        style.add_scale_bar(axes, widest, view.unit)
        # A smaller frame is drawn smaller.
        left, _, _, top = view.extent
        axes.set(xlim=(left, left + widest), ylim=(top + tallest, top))
    return figure
