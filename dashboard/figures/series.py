"""Numbers of the whole frame, over time."""

from dataclasses import dataclass

from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    NumeralTickFormatter,
    Range1d,
)
from bokeh.plotting import figure

from dashboard.figures import style
from dashboard.figures.over_time import OverTime


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
    source: ColumnDataSource,
    line: Line,
    values: Range1d,
    over: OverTime,
    *,
    last: bool,
) -> figure:
    """One number over time; the last plot of a column carries the axis."""
    plot = figure(
        x_range=over.shown,
        y_range=values,
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
    plot.yaxis.ticker = BasicTicker(desired_num_ticks=3, min_interval=line.step)
    plot.yaxis.formatter = NumeralTickFormatter(format=line.format)
    plot.line("x", line.column, line_color=line.colour, line_width=1.6, source=source)
    plot.scatter("x", line.column, color=line.colour, size=3, source=source)
    over.mark(plot)
    # What the browser says of the point under the pointer.
    plot.tags = [line.title, line.column]
    return plot
