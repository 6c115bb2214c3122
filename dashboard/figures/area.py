"""The part of the sample that the maps show."""

from dataclasses import dataclass

from bokeh.models import Range1d

from dashboard.bookmark import Zoom
from dashboard.scene import Extent

CLOSEST_ZOOM = 0.02
"""Smallest part of the frame's side that can fill a map."""

FARTHEST_ZOOM = 1.5
"""Largest multiple of the frame's side that can be seen."""


@dataclass(frozen=True, slots=True)
class Area:
    """The part of the sample that all maps show: one pan, one zoom."""

    x: Range1d
    y: Range1d
    unit: str
    """Of both axes: "nm", or "px" for a frame without calibration."""


@dataclass(frozen=True, slots=True)
class Square:
    """A square of the sample that holds a frame in its middle."""

    left: float
    top: float
    side: float


def square(extent: Extent) -> Square:
    """The smallest square around a frame."""
    side = max(extent.width, extent.height)
    left = extent.left + (extent.width - side) / 2
    return Square(left, extent.top + (extent.height - side) / 2, side)


def area(extent: Extent) -> Area:
    """Ranges that show a whole frame, y downward."""
    # By these names the browser finds them, whose address says what part is shown.
    shown = Area(Range1d(name="map-x"), Range1d(name="map-y"), unit=extent.unit)
    show_whole(shown, extent)
    return shown


def show_whole(shown: Area, extent: Extent) -> None:
    """Let `shown` begin at, and return to, the whole frame."""
    whole = square(extent)
    ends = {
        shown.x: (whole.left, whole.left + whole.side),
        shown.y: (whole.top + whole.side, whole.top),
    }
    for axis, (start, end) in ends.items():
        # Else the browser cuts the new ends at the limits that the old frame had.
        axis.update(min_interval=None, max_interval=None)
        axis.update(start=start, end=end, reset_start=start, reset_end=end)
        axis.update(
            min_interval=CLOSEST_ZOOM * whole.side,
            max_interval=FARTHEST_ZOOM * whole.side,
        )


def show_part(shown: Area, zoom: Zoom, extent: Extent) -> None:
    """Show a part of a frame that lies at `extent`; no part that is not of it."""
    whole = square(extent)
    side = min(max(zoom.w, CLOSEST_ZOOM * whole.side), FARTHEST_ZOOM * whole.side)
    if not (
        abs(zoom.x - whole.left - whole.side / 2) < whole.side
        and abs(zoom.y - whole.top - whole.side / 2) < whole.side
    ):
        return
    shown.x.update(start=zoom.x - side / 2, end=zoom.x + side / 2)
    shown.y.update(start=zoom.y + side / 2, end=zoom.y - side / 2)


def follow(shown: Area, old: Extent, new: Extent) -> None:
    """Show the whole frame again when it is another part of the sample.

    As long as frames lie where the last one lay, pan and zoom stay as they are.
    """
    if old != new:
        show_whole(shown, new)
