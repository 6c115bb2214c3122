"""A history laid out over frames, time or dose, in a bounded number of columns."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.axis import Axis, Ruler, offered, ruler
from dashboard.bins import TAIL, UNKNOWN_BINS, Bins
from dashboard.grid import Grid, grid
from dashboard.history import SUMMARIES, History
from dashboard.scene import ANGLE
from streamer.atoms import SPECIES
from streamer.lattice import lattice_drift_percent

DRIFT = "lattice_drift_percent"
"""Of the lattice constant, against the first frame of the history."""

PLACES = ("seq", "time_s", "dose_e_nm2")
"""Where a frame is, in each way."""

RARE = 0.01
"""Share of all atoms at either end of a quantity that may share one colour."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one value of a quantity to another."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """Equal columns of `width`, of which the first begins at `start`.

    Frames that are missing (a gap) leave their column empty, so that a line breaks
    and a heat map shows its background.
    """

    ruler: Ruler
    start: float
    """In units of the ruler, as `width` and `pitch` are."""
    width: float
    pitch: float
    """From one frame to the next."""
    placeless: int
    """Frames that have no place on the axis: their time or dose is unknown."""
    lines: Mapping[str, NDArray[np.floating]]
    """(columns,) x (middle of the column in units of the ruler), `PLACES`, each
    species, `SUMMARIES`, `DRIFT`: mean of the column's frames, NaN where there is
    none."""
    maps: Mapping[str, NDArray[np.uint8]]
    """(BINS, columns) by quantity, values rising with the row: root of the share of
    atoms, 255 for the most frequent value of the column."""
    bins: Mapping[str, Bins]
    """By quantity, of the rows of its map."""
    seen: Mapping[str, Span]
    """By quantity, what holds the values of each column but for `TAIL` at either end;
    of the angle all its period."""
    peaks: Mapping[str, float]
    """By quantity, the largest share of a column's atoms that is in one bin, 0..1."""
    usual: Mapping[str, Span]
    """By quantity, what holds all but `RARE` of its values at either end."""

    @property
    def end(self) -> float:
        """Right end of the last column."""
        return self.start + self.width * len(self.lines["x"])


class Trends:
    """The trends of one history: each is worked out once, when the first page asks."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._known: dict[Axis, Trend] = {}
        self._lock = threading.Lock()
        self.offered = offered(history.records)
        """Along which axes the frames can be laid out."""

    def along(self, axis: Axis) -> Trend:
        """The history over `axis`; over the frames where that is not offered."""
        if axis not in self.offered:
            axis = Axis.FRAMES
        with self._lock:
            if axis not in self._known:
                self._known[axis] = trend(self.history, axis)
            return self._known[axis]


def trend(history: History, axis: Axis = Axis.FRAMES) -> Trend:
    """`history` over `axis`, on which at least one of its frames has a place."""
    names, laid = history.quantities, grid(history.records, axis)
    records = in_order(history.records, laid)
    histograms = column_sums(records["histograms"], laid)
    bins = {name: history.bins.get(name, UNKNOWN_BINS) for name in names}
    each = {name: histograms[:, i] for i, name in enumerate(names)}
    seen = {name: span(each[name], bins[name], TAIL) for name in names}
    totals = {name: each[name].sum(axis=0, keepdims=True) for name in names}
    farthest = laid.start + laid.width * len(laid)
    marked = ruler(axis, farthest)
    return Trend(
        ruler=marked,
        start=laid.start / marked.scale,
        width=laid.width / marked.scale,
        pitch=laid.pitch / marked.scale,
        placeless=len(history.records) - len(laid.rows),
        lines=lines(records, laid, marked),
        maps={name: shades(each[name]) for name in names},
        bins=bins,
        seen={**seen, ANGLE: Span(bins[ANGLE].low, bins[ANGLE].high)},
        peaks={name: peak(each[name]) for name in names},
        usual={name: span(totals[name], bins[name], RARE) for name in names},
    )


def in_order(records: NDArray[np.void], laid: Grid) -> NDArray[np.void]:
    """The records of `laid`; not copied where those are all, in their order."""
    same = len(laid.rows) == len(records) and bool((np.diff(laid.rows) == 1).all())
    return records if same else records[laid.rows]


def lines(
    records: NDArray[np.void], laid: Grid, marked: Ruler
) -> dict[str, NDArray[np.floating]]:
    """`Trend.lines`; `records` in the order of `laid`."""
    numbers = {name: records["counts"][:, i] for i, name in enumerate(SPECIES)}
    numbers |= {name: records[name] for name in (*PLACES, *SUMMARIES)}
    numbers[DRIFT] = drift(records)
    each = [*numbers.values(), np.ones(len(records))]
    rows = np.stack(each, axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        *sums, frames = column_sums(rows, laid).T
        means = (np.stack(sums) / frames).astype(np.float32)
    middle = laid.start + laid.width * (np.arange(len(laid)) + 0.5)
    return {"x": middle / marked.scale, **dict(zip(numbers, means, strict=True))}


def drift(records: NDArray[np.void]) -> NDArray[np.float64]:
    """(N,) in the order of `records`, against the first frame by number."""
    by_seq = np.argsort(records["seq"], kind="stable")
    result = np.empty(len(records))
    result[by_seq] = lattice_drift_percent(
        records["lattice_constant_nm"][by_seq].astype(np.float64),
        records["pixel_size_nm"][by_seq],
        records["pixel_size_estimated"][by_seq],
    )
    return result


def column_sums(rows: NDArray[np.generic], laid: Grid) -> NDArray[np.float64]:
    """(columns, …) sum of the `rows` of each column, zero where nothing is shown."""
    own, first = np.unique(laid.column, return_index=True)
    summed = run_sums(rows, first)
    sums = np.zeros((len(laid), *rows.shape[1:]))
    shown = laid.shown >= 0
    sums[shown] = summed[np.searchsorted(own, laid.shown[shown])]
    return sums


def run_sums(rows: NDArray[np.generic], first: NDArray[np.intp]) -> NDArray[np.generic]:
    """Sums of the `rows` from each of `first` to the next, of the same type.

    Counts of atoms add up within 32 bits.
    """
    if rows.ndim < 3:
        return np.asarray(np.add.reduceat(rows, first, axis=0))
    # Of histograms, it would take twice as long.
    sums = np.empty((len(first), *rows.shape[1:]), rows.dtype)
    for to, start, stop in zip(sums, first, [*first[1:], len(rows)], strict=True):
        np.add.reduce(rows[start:stop], axis=0, dtype=rows.dtype, out=to)
    return sums


def shades(counts: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(BINS, columns) heat map of (columns, BINS) counts; see `Trend.maps`."""
    most = np.maximum(counts.max(axis=1, keepdims=True), 1)
    shade = 255 * np.sqrt((counts / most).astype(np.float32)) + 0.5
    return np.ascontiguousarray(shade.astype(np.uint8).T)


def peak(counts: NDArray[np.float64]) -> float:
    """`Trend.peaks` of (columns, BINS) counts; 0 where there are none."""
    atoms = np.maximum(counts.sum(axis=1), 1)
    return float((counts.max(axis=1) / atoms).max())


def span(counts: NDArray[np.float64], bins: Bins, rare: float) -> Span:
    """The whole bins that hold all but a share `rare` at either end of each column.

    Parameters
    ----------
    counts
        (columns, BINS).
    """
    reached = np.cumsum(counts.T, axis=0)
    total = reached[-1]
    if not total.any():
        return Span(bins.low, bins.high)
    below = (reached <= rare * total).sum(axis=0)[total > 0]
    within = (reached < (1 - rare) * total).sum(axis=0)[total > 0]
    first, last = int(below.min()), int(within.max())
    return Span(float(bins.edges[first]), float(bins.edges[last + 1]))
