"""How one quantity is spread over the atoms: over the frames, and now."""

from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    Image,
    LinearColorMapper,
    Range1d,
)
from bokeh.plotting import figure

from dashboard.figures import style
from dashboard.figures.over_time import OverTime


def heat_map(
    source: ColumnDataSource, label: str, values: Range1d, over: OverTime
) -> figure:
    """A histogram a frame, as a column of colours."""
    plot = figure(
        x_range=over.shown,
        y_range=values,
        y_axis_label=label,
        tools="",
        toolbar_location=None,
        sizing_mode="stretch_both",
        min_border_left=44,
        min_border_right=0,
        min_border_top=4,
    )
    plot.grid.visible = False
    colour = LinearColorMapper(palette=style.density_palette(), low=0, high=255)
    plot.add_glyph(source, Image(dw="dw", dh="dh", color_mapper=colour))
    over.mark(plot)
    # What the browser says of the point under the pointer.
    plot.tags = [label, ""]
    return plot


def histogram(source: ColumnDataSource, values: Range1d, shares: Range1d) -> figure:
    """The histogram of the frame that is shown, beside its heat map."""
    plot = figure(
        x_range=shares,
        y_range=values,
        x_axis_label="% of atoms",
        tools="",
        toolbar_location=None,
        sizing_mode="stretch_height",
        width=70,
        min_border_left=0,
        min_border_right=4,
        min_border_top=4,
    )
    plot.yaxis.visible = False
    plot.xaxis.ticker = BasicTicker(desired_num_ticks=2)
    # It would read as a digit of the last frame's number beside it.
    plot.xaxis.major_label_overrides = {0: ""}
    plot.quad(
        left=0,
        right="percent",
        bottom="bottom",
        top="top",
        color=style.ACCENT,
        source=source,
    )
    return plot
