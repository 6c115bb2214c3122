"""Numbers of the whole frame, over the frames."""

from dataclasses import dataclass

from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    DataRange1d,
    NumeralTickFormatter,
)
from bokeh.plotting import figure

from dashboard.figures import style


@dataclass(frozen=True, slots=True)
class Line:
    """What one small plot shows."""

    column: str
    """Of `Trend.lines`."""
    title: str
    colour: str
    format: str
    """Of the labels, in the language of numeral.js."""
    span: float
    """Length of the axis while all values are the same."""
    step: float = 0.0
    """Least distance of two labels: 1 for what is counted."""


HOLES, ORDER, LATTICE = style.SERIES_COLOURS

LINES = (
    Line("C", "C atoms", style.SPECIES_COLOURS[0], "0,0", 20, step=1),
    Line("Si", "Si atoms", style.SPECIES_COLOURS[1], "0,0", 4, step=1),
    Line("hole_area_nm2", "Hole area (nm²)", HOLES, "0.[00]", 1),
    Line("mean_crystallinity", "Mean crystallinity", ORDER, "0.00[0]", 0.1),
    Line("lattice_constant_nm", "Lattice constant (nm)", LATTICE, "0.0000", 0.002),
    Line("lattice_drift_percent", "Lattice drift (%)", LATTICE, "0.0[0]", 0.5),
)


def series(
    source: ColumnDataSource, line: Line, frames: DataRange1d, *, last: bool
) -> figure:
    """One number over the frames; the last plot of a column carries the axis."""
    plot = figure(
        x_range=frames,
        y_range=DataRange1d(range_padding=0.15, default_span=line.span),
        x_axis_label="frame" if last else None,
        title=line.title,
        tools="",
        toolbar_location=None,
        sizing_mode="stretch_both",
        min_border_left=58,
        min_border_right=10,
        min_border_top=0,
        min_border_bottom=4,
    )
    plot.xaxis.visible = last
    plot.xaxis.ticker = BasicTicker(desired_num_ticks=6, min_interval=1)
    plot.yaxis.ticker = BasicTicker(desired_num_ticks=3, min_interval=line.step)
    plot.yaxis.formatter = NumeralTickFormatter(format=line.format)
    plot.line("seq", line.column, line_color=line.colour, line_width=1.6, source=source)
    plot.scatter("seq", line.column, color=line.colour, size=3, source=source)
    return plot
