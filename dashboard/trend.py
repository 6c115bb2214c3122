"""A history laid out over its frames, with a bounded number of columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.bins import UNKNOWN_BINS, Bins
from dashboard.history import SUMMARIES, History
from dashboard.scene import ANGLE
from streamer.atoms import SPECIES
from streamer.lattice import lattice_drift_percent

COLUMNS = 400
"""Most columns of a heat map and points of a line: about one a pixel."""

DRIFT = "lattice_drift_percent"
"""Of the lattice constant, against the first frame of the history."""

RARE = 0.01
"""Share of all atoms at either end of a quantity that may share one colour."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one value of a quantity to another."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """Every column stands for `stride` frame numbers, the first begins at `start`.

    Frames that are missing (a gap) leave their column empty, so that a line breaks
    and a heat map shows its background.
    """

    start: int
    stride: int
    lines: Mapping[str, NDArray[np.float32]]
    """(columns,) seq (middle of the column), each species, `SUMMARIES`, `DRIFT`: mean
    of the column's frames, NaN where there is none."""
    maps: Mapping[str, NDArray[np.uint8]]
    """(BINS, columns) by quantity, values rising with the row: root of the share of
    atoms, 255 for the most frequent value of the column."""
    bins: Mapping[str, Bins]
    """By quantity, of the rows of its map."""
    seen: Mapping[str, Span]
    """By quantity, what holds the values of all frames; of the angle all its period."""
    usual: Mapping[str, Span]
    """By quantity, what holds all but `RARE` of its values at either end."""


def trend(history: History) -> Trend:
    """`history` over its frames."""
    seq, names = history.records["seq"], history.quantities
    start = int(seq[0])
    stride = -(-(int(seq[-1]) - start + 1) // COLUMNS)
    column = (seq - start) // stride
    histograms = column_sums(history.records["histograms"], column)
    bins = {name: history.bins.get(name, UNKNOWN_BINS) for name in names}
    totals = dict(zip(names, histograms.sum(axis=0), strict=True))
    seen = {name: span(totals[name], bins[name], 0.0) for name in names}
    return Trend(
        start=start,
        stride=stride,
        lines=lines(history.records, column, start, stride),
        maps={name: shades(histograms[:, i]) for i, name in enumerate(names)},
        bins=bins,
        seen={**seen, ANGLE: Span(bins[ANGLE].low, bins[ANGLE].high)},
        usual={name: span(totals[name], bins[name], RARE) for name in names},
    )


def lines(
    records: NDArray[np.void], column: NDArray[np.int64], start: int, stride: int
) -> dict[str, NDArray[np.float32]]:
    """`Trend.lines`."""
    frames = column_sums(np.ones(len(records)), column)
    numbers = {name: records["counts"][:, i] for i, name in enumerate(SPECIES)}
    numbers |= {name: records[name].astype(np.float64) for name in SUMMARIES}
    numbers[DRIFT] = lattice_drift_percent(
        numbers["lattice_constant_nm"],
        records["pixel_size_nm"],
        records["pixel_size_estimated"],
    )
    with np.errstate(invalid="ignore"):
        means = {n: column_sums(rows, column) / frames for n, rows in numbers.items()}
    means["seq"] = start + stride * np.arange(float(len(frames))) + (stride - 1) / 2
    return {name: values.astype(np.float32) for name, values in means.items()}


def column_sums(
    rows: NDArray[np.generic], column: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sum of the `rows` of each column, zero where there is none; `column` rises."""
    filled, first = np.unique(column, return_index=True)
    sums = np.zeros((int(filled[-1]) + 1, *rows.shape[1:]))
    sums[filled] = np.add.reduceat(rows, first, axis=0, dtype=np.float64)
    return sums


def shades(counts: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(BINS, columns) heat map of (columns, BINS) counts; see `Trend.maps`."""
    peak = np.maximum(counts.max(axis=1, keepdims=True), 1)
    shade = np.round(255 * np.sqrt(counts / peak)).astype(np.uint8)
    return np.ascontiguousarray(shade.T)


def span(counts: NDArray[np.float64], bins: Bins, rare: float) -> Span:
    """The whole bins that hold all but a share `rare` of `counts` at either end."""
    total = counts.sum()
    if not total:
        return Span(bins.low, bins.high)
    reached = np.cumsum(counts) / total
    first = int(np.searchsorted(reached, rare, side="right"))
    last = int(np.searchsorted(reached, 1 - rare, side="left"))
    return Span(float(bins.edges[first]), float(bins.edges[last + 1]))
