"""Equal columns along an axis, and which frames lie in each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.axis import Axis, pitch, positions

COLUMNS = 400
"""Most columns of a heat map and points of a line: about one a pixel."""

FINEST = 1e-9
"""Least distance of two frames, of the whole axis."""

JITTER = 1.9
"""Frames with numbers in a row that are fewer pitches apart have no pause between."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Equal columns, as wide as a frame or as several, with the frames in them."""

    start: float
    """Left end of the first column, in frames, s or e/nm²."""
    width: float
    """Of a column."""
    pitch: float
    """From one frame to the next."""
    rows: NDArray[np.intp]
    """(N,) the records that have a place, in its order."""
    column: NDArray[np.intp]
    """(N,) of each of them, rising from 0."""
    shown: NDArray[np.intp]
    """(columns,) the column whose frames are shown there: itself, a neighbour where a
    frame came somewhat early or late, -1 where there is nothing."""

    def __len__(self) -> int:
        return len(self.shown)


def grid(records: NDArray[np.void], axis: Axis) -> Grid:
    """Columns for all `records` that have a place on `axis`; at least one has."""
    position = positions(records, axis)
    placed = np.flatnonzero(np.isfinite(position))
    apart = 1.0
    if axis is not Axis.FRAMES:
        apart = pitch(records["seq"][placed], position[placed])
    rows = placed[np.argsort(position[placed], kind="stable")]
    first = position[rows[0]]
    place = (records["seq"][rows] - records["seq"][rows[0]]).astype(np.float64)
    if axis is not Axis.FRAMES:
        place = position[rows] - first
    apart = max(apart, FINEST * place[-1])
    width = apart * max(1.0, np.ceil((place[-1] / apart + 1) / COLUMNS))
    column = np.floor((place + apart / 2) / width).astype(np.intp)
    column = column.clip(0, COLUMNS - 1)
    shown = filled(records["seq"][rows], place, column, apart, width)
    return Grid(first - apart / 2, width, apart, rows, column, shown)


def filled(
    seq: NDArray[np.int64],
    place: NDArray[np.float64],
    column: NDArray[np.intp],
    apart: float,
    width: float,
) -> NDArray[np.intp]:
    """`Grid.shown`.

    A column is as wide as the usual frame. Beside a frame that took somewhat longer is
    one without any, which would look like a gap: it shows the nearest frame, unless a
    frame is missing between its neighbours, or the microscope has paused.
    """
    shown = np.full(int(column[-1]) + 1, -1, np.intp)
    shown[column] = column
    empty = np.flatnonzero(shown < 0)
    middle = (empty + 0.5) * width - apart / 2
    after = np.searchsorted(place, middle).clip(1, max(len(place) - 1, 1))
    if not len(empty):
        return shown
    left, right = place[after - 1], place[after]
    near = np.minimum(middle - left, right - middle)
    in_a_row = seq[after] - seq[after - 1] == 1
    joined = in_a_row & (right - left < JITTER * apart)
    nearest = column[np.where(middle - left <= right - middle, after - 1, after)]
    shown[empty] = np.where(joined | (near <= apart / 2), nearest, -1)
    return shown
