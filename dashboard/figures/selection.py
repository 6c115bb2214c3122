"""Regions that a viewer draws in a figure, to see the atoms in them elsewhere."""

from collections.abc import Iterable

from bokeh.models import BoxSelectTool, ColumnDataSource, CustomJS, LassoSelectTool
from bokeh.plotting import figure

from dashboard.figures import style

DIMMED = 0.12
"""Opacity of atoms outside of the region."""

# Heard in `assets/selection.mjs`, which alone says what is selected: all figures, and
# later frames, then agree about it to the atom.
DRAWN = """
document.dispatchEvent(new CustomEvent("region-drawn", {detail: {
  space: space, geometry: cb_obj.geometry, final: cb_obj.final,
}}))
"""


def selectable(plot: figure, space: str, outline: ColumnDataSource) -> None:
    """Let regions be drawn in `plot`, and show the one that was.

    Parameters
    ----------
    space
        What the axes are: "sample" or "latent".
    outline
        x and y of its corners.
    """
    # Without renderers they select nothing by themselves.
    plot.add_tools(LassoSelectTool(renderers=[]), BoxSelectTool(renderers=[]))
    drawn = CustomJS(args={"space": space}, code=DRAWN)
    plot.js_on_event("selectiongeometry", drawn)
    plot.patch(
        "x",
        "y",
        source=outline,
        fill_alpha=0,
        line_color=style.CURSOR,
        line_dash=[5, 3],
        line_width=1.5,
    )


def selectable_maps(maps: Iterable[figure]) -> ColumnDataSource:
    """Let regions of the sample be drawn in `maps`; the corners of the present one."""
    outline = ColumnDataSource({"x": [], "y": []})
    for plot in maps:
        selectable(plot, "sample", outline)
    return outline
