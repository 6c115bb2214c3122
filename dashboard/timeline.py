"""What a page and its server tell each other about the plots over time."""

from bokeh.core.properties import Any, Dict, Float, Instance, List, String
from bokeh.model import DataModel
from bokeh.models import ColumnDataSource, Plot, Range1d


class Timeline(DataModel):
    """Mirrored between the server and one browser; `assets/timeline.mjs` reads it.

    Which part of the axis is shown is the browser's own business: it follows the
    newest frame, or stays where the viewer has zoomed to.
    """

    axis = String(default="frames")
    """Over what all of them are drawn."""
    offered = List(String)
    """What they could be drawn over."""
    unit = String(default="")
    """Of the axis."""
    scale = Float(default=1)
    """Of one unit, in frames, s or e/nm²; changes as a stream grows."""
    start = Float(default=0)
    """Left end of the first column, in units of the axis."""
    end = Float(default=1)
    width = Float(default=1)
    """Of a column."""
    words = String(default="")
    """What is to be said of the axis: what it does not show."""
    ranges = String(default="")
    """What is to be said of the ranges of the values."""
    shown = Instance(Range1d)
    """The part that is shown, of all plots."""
    plots = List(Instance(Plot))
    lines = Instance(ColumnDataSource)
    """The numbers of each column."""
    gaps = Instance(ColumnDataSource)
    """Where frames are missing: left, right, words."""
    marks = Instance(ColumnDataSource)
    """What happened: x, kind, words."""
    notes = List(Dict(String, Any))
    """What viewers wrote of this stream: seq, when (ms since 1970 UTC), text."""
    notes_kept = String(default="")
    """Where notes are kept."""
