"""Frames of which a history has no picture: their numbers, in its records."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from dashboard.bins import BINS, Bins
from dashboard.history import (
    RECORD_BYTES,
    History,
    fitting_bins,
    frozen,
    quantity_frame,
    rebinned,
    record,
)
from dashboard.scene import ANGLE, Scene, quantity_names, scene
from streamer.analysis import Analysis
from streamer.histogram import Histogram


def filled(history: History, analyses: Sequence[Analysis], *, counted: bool) -> History:
    """`history` with more frames in its records, each at its place.

    What is known better already stays as it is. Frames that another kind of
    model has analysed cannot be compared and are left out.

    Parameters
    ----------
    history
        Of the stream of all `analyses`.
    analyses
        Their previews are not looked at.
    counted
        By their atoms. Otherwise they have none here, and are spread as the histograms
        of their summaries say, whose bins are wider.
    """
    better = {each.seq for each in history.scenes}
    if not counted:
        better |= set(history.records["seq"].tolist())
    fitting = [
        each
        for each in analyses
        if each.seq not in better
        and quantity_frame(each.model) == quantity_frame(history.model)
    ]
    if not fitting:
        return history
    bins = history.bins
    for each in fitting:
        bins = MappingProxyType(fitting_bins(bins, each))
    scenes = [scene(each, bins) for each in fitting]
    if not counted:
        scenes = [estimated(each, bins) for each in scenes]
    rows = np.concatenate([record(each) for each in scenes])
    records = frozen(with_rows(rebinned(history, bins), rows))
    return replace(history, bins=bins, records=records)


def estimated(scene: Scene, bins: Mapping[str, Bins]) -> Scene:
    """`scene` with counts by the histograms of its summary."""
    known = scene.summary.histograms
    counts = dict(scene.counts)
    for name in quantity_names(scene.model):
        told = known.get("angle_rad" if name == ANGLE else name)
        if told is not None and name in bins:
            about_zero = in_degrees(told, bins[ANGLE]) if name == ANGLE else told
            counts[name] = spread_evenly(about_zero, bins[name])
    return replace(scene, counts=counts)


def in_degrees(angles: Histogram, period: Bins) -> Histogram:
    """A histogram over one period from 0, as one from half a period before 0 on."""
    half = len(angles.counts) // 2
    counts = angles.counts[half:] + angles.counts[:half]
    return replace(angles, low=period.low, high=period.high, counts=counts)


def spread_evenly(told: Histogram, bins: Bins) -> NDArray[np.uint32]:
    """(BINS,) counts in other bins, as if those of each bin were spread evenly over it.

    What lies beyond an end counts in the bin at that end, as with `Bins.count`.
    """
    reached = told.below + np.concatenate([[0], np.cumsum(told.counts)])
    at_edges = np.round(np.interp(bins.edges, told.edges, reached))
    at_edges[0], at_edges[BINS] = 0, reached[-1] + told.above
    counts: NDArray[np.uint32] = np.diff(at_edges).astype(np.uint32)
    return counts


def with_rows(records: NDArray[np.void], rows: NDArray[np.void]) -> NDArray[np.void]:
    """`records` with `rows` in place of those of the same frames; the oldest go."""
    others = records[~np.isin(records["seq"], rows["seq"])]
    both = np.concatenate([others, rows])
    both = both[np.argsort(both["seq"], kind="stable")]
    return both[-(RECORD_BYTES // both.itemsize) :]
