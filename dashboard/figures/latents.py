"""How one quantity is spread over the atoms: over the frames, and now."""

from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    DataRange1d,
    Image,
    LinearColorMapper,
    Range1d,
)
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from dashboard.figures import style


def heat_map(
    source: ColumnDataSource, label: str, values: Range1d, frames: DataRange1d
) -> figure:
    """A histogram a frame, as a column of colours."""
    plot = figure(
        x_range=frames,
        y_range=values,
        x_axis_label="frame",
        y_axis_label=label,
        tools="",
        toolbar_location=None,
        sizing_mode="stretch_both",
        min_border_left=52,
        min_border_right=0,
        min_border_top=4,
    )
    plot.grid.visible = False
    plot.xaxis.ticker = BasicTicker(desired_num_ticks=4, min_interval=1)
    colour = LinearColorMapper(palette=style.density_palette(), low=0, high=255)
    plot.add_glyph(source, Image(dw="dw", dh="dh", color_mapper=colour))
    return plot


def histogram(source: ColumnDataSource, values: Range1d) -> figure:
    """The histogram of the frame that is shown, beside its heat map."""
    plot = figure(
        x_range=DataRange1d(start=0, range_padding=0.08),
        y_range=values,
        x_axis_label="% of atoms",
        tools="",
        toolbar_location=None,
        sizing_mode="stretch_height",
        width=70,
        min_border_left=0,
        min_border_right=8,
        min_border_top=4,
    )
    plot.yaxis.visible = False
    plot.xaxis.ticker = BasicTicker(desired_num_ticks=2)
    plot.quad(
        left=0,
        right="percent",
        bottom="bottom",
        top="top",
        color=style.ACCENT,
        source=source,
    )
    return plot


def cursor(seq: int) -> Span:
    """A line at the frame that is shown; one for all plots over frames."""
    return Span(
        location=seq,
        dimension="height",
        line_color=style.CURSOR,
        line_width=1,
        line_alpha=0.8,
    )
