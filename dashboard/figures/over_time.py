"""What all plots over time have in common: their axis, and what is marked on it."""

from dataclasses import dataclass
from typing import Self

from bokeh.models import (
    BasicTicker,
    BoxZoomTool,
    ColumnDataSource,
    Range1d,
    VSpan,
    VStrip,
    WheelZoomTool,
)
from bokeh.models.annotations import Span as Cursor
from bokeh.plotting import figure

from dashboard.axis import Axis, Ruler
from dashboard.figures import style

MARK_COLOURS = {"model": "#b48ef0", "note": "#f0b429"}
GAP_COLOUR = "#ff5c5c"


@dataclass(frozen=True, slots=True)
class OverTime:
    """Models that all plots over time share; they outlive the plots."""

    shown: Range1d
    cursor: Cursor
    """At the frame that is shown."""
    gaps: ColumnDataSource
    """left, right, words."""
    marks: ColumnDataSource
    """x, kind, colour, words."""

    @classmethod
    def new(cls) -> Self:
        """Nothing is marked."""
        cursor = Cursor(
            dimension="height",
            line_color=style.CURSOR,
            line_width=1,
            line_alpha=0.8,
            visible=False,
        )
        gaps = ColumnDataSource({"left": [], "right": [], "words": []})
        marks = ColumnDataSource({"x": [], "kind": [], "colour": [], "words": []})
        return cls(Range1d(), cursor, gaps, marks)

    def mark(self, plot: figure) -> None:
        """Let a plot zoom along its axis, and show what is marked there."""
        wheel = WheelZoomTool(dimensions="width")
        plot.add_tools(BoxZoomTool(dimensions="width"), wheel)
        plot.toolbar.active_scroll = wheel
        missing = VStrip(
            x0="left",
            x1="right",
            fill_color=GAP_COLOUR,
            fill_alpha=0.28,
            line_color=GAP_COLOUR,
            line_alpha=0.5,
        )
        happened = VSpan(x="x", line_color="colour", line_width=1.5, line_dash="dashed")
        plot.add_glyph(self.gaps, missing)
        plot.add_glyph(self.marks, happened)
        plot.add_layout(self.cursor)


def label_axis(plot: figure, ruler: Ruler, title: str, ticks: int) -> None:
    """Say over what a plot is drawn."""
    least = 1 if ruler.axis is Axis.FRAMES else 0
    plot.xaxis.axis_label = title
    plot.xaxis.ticker = BasicTicker(desired_num_ticks=ticks, min_interval=least)
