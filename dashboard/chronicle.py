"""The plots over time of one page: their axis, ranges and marks, and the notes."""

from bokeh.models import ColumnDataSource

from dashboard.axis import FIELDS, Axis
from dashboard.figures.over_time import MARK_COLOURS, OverTime
from dashboard.figures.series import LINES
from dashboard.marks import Mark, Strip, marks, strips
from dashboard.panels import Panels, show_ranges
from dashboard.ranges import Ranges, extents, fitted, held, in_words
from dashboard.scene import Scene
from dashboard.snapshot import Snapshot
from dashboard.timeline import Timeline
from dashboard.trend import Trend, Trends
from streamer.session.notes import Note

NOTES_LISTED = 200
"""The newest; `atomstream sessions show` lists all."""

LEAST = {line.column: line.span for line in LINES}
TITLES = {line.column: line.title.partition(" (")[0] for line in LINES}


class Chronicle:
    """Keeps what a page shows over time, from one update to the next.

    Parameters
    ----------
    timeline
        What the browser mirrors.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.over = OverTime.new()
        self._timeline = timeline
        self._ranges: Ranges | None = None
        self._stream_id = ""
        self._begun = False
        self._strips: tuple[Strip, ...] = ()
        self._marks: tuple[Mark, ...] = ()
        self._listed: tuple[Note, ...] = ()
        timeline.update(
            shown=self.over.shown,
            gaps=self.over.gaps,
            marks=self.over.marks,
            lines=ColumnDataSource(),
        )

    def rescale(self) -> None:
        """Fit the ranges of values to what is there, with the next update."""
        self._ranges = None

    def show(
        self,
        panels: Panels,
        scene: Scene,
        trends: Trends,
        wanted: Axis,
        snapshot: Snapshot,
    ) -> None:
        """Bring all that plots over time have in common up to date."""
        trend = trends.along(wanted)
        self._hold_ranges(panels, scene, trends, trend)
        self._show_axis(panels, trends, trend, wanted)
        self._show_cursor(scene, trend)
        self._show_marks(trends, trend, snapshot)
        self._show_notes(trends, snapshot)

    def _hold_ranges(
        self, panels: Panels, scene: Scene, trends: Trends, trend: Trend
    ) -> None:
        seq, stream_id = trends.history.newest.seq, trends.history.stream.id
        found = extents(trend, scene, LEAST)
        if self._ranges is None or stream_id != self._stream_id:
            self._ranges = fitted(found, seq, LEAST)
        else:
            self._ranges = held(self._ranges, found, seq, LEAST)
        self._stream_id = stream_id
        show_ranges(panels, self._ranges)
        self._timeline.update(ranges=in_words(self._ranges, TITLES))

    def _show_axis(
        self, panels: Panels, trends: Trends, trend: Trend, wanted: Axis
    ) -> None:
        over = self.over.shown
        over.min_interval = 3 * trend.width
        if not self._begun:  # from then on it is the browser's
            over.update(start=trend.start, end=trend.end)
            self._begun = True
        self._timeline.update(
            axis=str(trend.ruler.axis),
            offered=[str(axis) for axis in trends.offered],
            unit=trend.ruler.unit,
            scale=trend.ruler.scale,
            start=trend.start,
            end=trend.end,
            width=trend.width,
            words=axis_words(trends, trend, wanted),
            plots=list(panels.over_time),
            lines=panels.lines,
        )

    def _show_cursor(self, scene: Scene, trend: Trend) -> None:
        where = float(getattr(scene, FIELDS[trend.ruler.axis])) / trend.ruler.scale
        placed = where == where  # not NaN
        self.over.cursor.update(visible=placed, location=where if placed else None)

    def _show_marks(self, trends: Trends, trend: Trend, snapshot: Snapshot) -> None:
        history = trends.history
        missing = snapshot.missing.get(history.stream.id, ())
        gaps = strips(missing, history, trend)
        found = marks(snapshot.notes, history, trend)
        if gaps != self._strips:
            self._strips = gaps
            fill(self.over.gaps, ("left", "right", "words"), gaps)
        if found != self._marks:
            self._marks = found
            fill(self.over.marks, ("kind", "x", "words"), found)

    def _show_notes(self, trends: Trends, snapshot: Snapshot) -> None:
        stream_id = trends.history.stream.id
        mine = [note for note in snapshot.notes if note.stream_id == stream_id]
        listed = tuple(mine[-NOTES_LISTED:])
        self._timeline.update(notes_kept=snapshot.notes_kept)
        # Bokeh would look at each of them to find that they are the same.
        if listed != self._listed:
            self._listed = listed
            self._timeline.update(notes=[row(note) for note in listed])


def fill(
    source: ColumnDataSource, names: tuple[str, ...], rows: tuple[Strip | Mark, ...]
) -> None:
    """Put `rows` in the columns `names` of `source`, and the colour of each mark."""
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    if "kind" in columns:
        columns["colour"] = [MARK_COLOURS[kind] for kind in columns["kind"]]
    source.data = columns


def axis_words(trends: Trends, trend: Trend, wanted: Axis) -> str:
    """What cannot be seen on this axis, or why it is not the one that was chosen."""
    names = {Axis.TIME: "times", Axis.DOSE: "dose"}
    unknown = [names[axis] for axis in Axis if axis not in trends.offered]
    words = f"this stream tells no {' and no '.join(unknown)}" if unknown else ""
    if wanted != trend.ruler.axis:
        return f"{words}: over frames"
    if trend.placeless:
        frames = "frame" if trend.placeless == 1 else "frames"
        return f"{trend.placeless:,} {frames} without {names[wanted]} left out"
    return words


def row(note: Note) -> dict[str, object]:
    """A note as the browser lists it."""
    return {"seq": note.seq, "when": note.time_ns / 1e6, "text": note.text}
