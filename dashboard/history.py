"""All that pages know of one stream: bounded, immutable, extended frame by frame.

Each frame leaves a small record (a kilobyte) and a scene (a megabyte). Records reach
back days, scenes as far as their budget of memory allows. A page holds on to the
`History` it was given; adding a frame makes a new one and disturbs nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from dashboard.bins import BINS, Bins, bins_around, merged
from dashboard.scene import (
    ANGLE,
    Scene,
    angle_period_deg,
    quantities,
    quantity_names,
    scene,
)
from streamer.analysis import Analysis, Flag, ModelId
from streamer.atoms import SPECIES
from streamer.frame import Stream

RECORD_BYTES = 16 * 2**20
"""Memory for the records of one stream: a week of frames of 33.5 s."""

SWAPS_REMEMBERED = 100
"""Of one stream; of more, the earliest are forgotten."""

SUMMARIES = ("hole_area_nm2", "mean_crystallinity", "lattice_constant_nm")
"""Numbers of `Summary` that are drawn over the frames."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Another model took over."""

    seq: int
    """The first frame that it analysed."""
    old: ModelId
    new: ModelId


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The frames of one stream in order of their number."""

    stream: Stream
    model: ModelId
    """Of the newest frame; records and bins are of its quantities."""
    bins: Mapping[str, Bins]
    """By quantity, for those of which a value was seen; the same for all records."""
    records: NDArray[np.void]
    """One row a frame, see `record_dtype`; read-only."""
    scenes: tuple[Scene, ...]
    """The newest frames, as many as fit the budget; never empty."""
    swaps: tuple[Swap, ...] = ()
    """In the order in which they were noticed."""

    @property
    def quantities(self) -> tuple[str, ...]:
        """What is known of each atom, in the order of `records["histograms"]`."""
        return quantity_names(self.model)

    @property
    def newest(self) -> Scene:
        """The last frame of the stream so far."""
        return self.scenes[-1]

    def nearest(self, seq: int) -> Scene:
        """The frame in memory whose number is nearest to `seq`."""
        return min(self.scenes, key=lambda scene: abs(scene.seq - seq))

    def behind(self, seq: int) -> int:
        """How many frames have come after frame `seq`."""
        return int((self.records["seq"] > seq).sum())


def record_dtype(quantity_count: int) -> np.dtype[np.void]:
    """A row of `History.records`: a frame in numbers, NaN where unknown."""
    return np.dtype(
        [
            ("seq", np.int64),
            ("time_s", np.float64),
            ("dose_e_nm2", np.float64),
            ("counts", np.float64, (len(SPECIES),)),
            *((name, np.float32) for name in SUMMARIES),
            ("pixel_size_nm", np.float64),
            ("pixel_size_estimated", np.bool_),
            ("latency_s", np.float32),
            ("flags", np.uint32),
            ("histograms", np.uint32, (quantity_count, BINS)),
        ]
    )


def flag_bits(flags: Iterable[Flag]) -> int:
    """Flags as one number, a bit each: as `History.records` has them."""
    known = list(Flag)
    return sum(1 << known.index(flag) for flag in {*flags})


def begun(analysis: Analysis) -> History:
    """The history of a stream of which one frame is known."""
    bins = MappingProxyType(first_bins(analysis))
    first = scene(analysis, bins)
    return History(
        stream=analysis.stream,
        model=analysis.model,
        bins=bins,
        records=frozen(record(first)),
        scenes=(first,),
    )


def extended(history: History, analysis: Analysis, scene_bytes: int) -> History:
    """`history` with one more frame, its oldest scenes dropped beyond `scene_bytes`.

    A frame that comes again replaces itself; a late one goes to its place.
    """
    history = adapted(swapped(history, analysis), analysis.model)
    bins = MappingProxyType(fitting_bins(history.bins, analysis))
    new = scene(analysis, bins)
    scenes = (*(old for old in history.scenes if old.seq != new.seq), new)
    return replace(
        history,
        model=analysis.model,
        bins=bins,
        records=frozen(inserted(rebinned(history, bins), record(new))),
        scenes=within_budget(scenes, scene_bytes),
    )


def swapped(history: History, analysis: Analysis) -> History:
    """`history`, which remembers it if another model has made this analysis."""
    if analysis.model == history.model:
        return history
    swap = Swap(analysis.seq, history.model, analysis.model)
    return replace(history, swaps=(*history.swaps, swap)[-SWAPS_REMEMBERED:])


def adapted(history: History, model: ModelId) -> History:
    """`history` in the quantities of `model`, without scenes if those are others.

    Numbers of whole frames stay, and histograms of quantities that both models know;
    those of others cannot be compared.
    """
    if quantity_frame(model) == quantity_frame(history.model):
        return history
    kept, names = common_quantities(history.model, model), quantity_names(model)
    records = np.zeros(len(history.records), record_dtype(len(names)))
    for field in records.dtype.names or ():
        if field != "histograms":
            records[field] = history.records[field]
    for name in kept:
        counts = history.records["histograms"][:, history.quantities.index(name)]
        records["histograms"][:, names.index(name)] = counts
    bins = {name: old for name, old in history.bins.items() if name in kept}
    return replace(
        history,
        model=model,
        bins=MappingProxyType(bins),
        records=frozen(records),
        scenes=(),
    )


def common_quantities(one: ModelId, other: ModelId) -> tuple[str, ...]:
    """What both models tell of an atom, in the same terms."""
    shared = tuple(name for name in quantity_names(one) if name in other.latents)
    same_angle = angle_period_deg(one) == angle_period_deg(other)
    return (ANGLE, *shared) if same_angle else shared


def quantity_frame(model: ModelId) -> tuple[tuple[str, ...], float]:
    """What two models must share for their histograms to be comparable."""
    return quantity_names(model), angle_period_deg(model)


def first_bins(analysis: Analysis) -> dict[str, Bins]:
    """The angle's period, and for each latent a range around its first values."""
    around = {
        name: bins_around(values)
        for name, values in quantities(analysis).items()
        if name != ANGLE
    }
    known = {name: bins for name, bins in around.items() if bins is not None}
    half = angle_period_deg(analysis.model) / 2
    return {ANGLE: Bins(-half, half), **known}


def fitting_bins(bins: Mapping[str, Bins], analysis: Analysis) -> dict[str, Bins]:
    """`bins`, wider where this frame's values need it."""
    values = quantities(analysis)
    latents = {
        name: old.widened(values[name]) for name, old in bins.items() if name != ANGLE
    }
    return {**first_bins(analysis), **latents}


@np.errstate(over="ignore")
def record(scene: Scene) -> NDArray[np.void]:
    """(1,) the row of one frame."""
    names = quantity_names(scene.model)
    row = np.zeros(1, record_dtype(len(names)))
    row["seq"] = scene.seq
    row["time_s"] = scene.time_s
    row["dose_e_nm2"] = scene.dose_e_nm2
    row["counts"] = [scene.summary.counts.get(name, 0) for name in SPECIES]
    row["pixel_size_nm"] = scene.pixel_size_nm or np.nan
    row["pixel_size_estimated"] = scene.pixel_size_estimated
    row["latency_s"] = scene.latency_s
    row["flags"] = flag_bits(scene.flags)
    for name in SUMMARIES:
        row[name] = getattr(scene.summary, name)
    row["histograms"][0] = [scene.counts[name] for name in names]
    return row


def rebinned(history: History, bins: Mapping[str, Bins]) -> NDArray[np.void]:
    """The records counted again with `bins`; the same array if none has changed."""
    changed = [name for name, old in history.bins.items() if bins[name] != old]
    if not changed:
        return history.records
    records = history.records.copy()
    for name in changed:
        index = history.quantities.index(name)
        counts = records["histograms"][:, index]
        records["histograms"][:, index] = merged(counts, history.bins[name], bins[name])
    return records


def inserted(records: NDArray[np.void], row: NDArray[np.void]) -> NDArray[np.void]:
    """`records` with `row` at its place, the oldest dropped beyond `RECORD_BYTES`."""
    others = records[records["seq"] != row["seq"]]
    place = np.searchsorted(others["seq"], row["seq"][0])
    result = np.concatenate([others[:place], row, others[place:]])
    return result[-(RECORD_BYTES // result.itemsize) :]


def within_budget(scenes: tuple[Scene, ...], scene_bytes: int) -> tuple[Scene, ...]:
    """The newest of `scenes`, in order, that fit in `scene_bytes`; at least one."""
    ordered = sorted(scenes, key=lambda scene: scene.seq)
    size = 0
    for kept, candidate in enumerate(reversed(ordered)):
        size += candidate.nbytes
        if size > scene_bytes and kept:
            return tuple(ordered[-kept:])
    return tuple(ordered)


def frozen(records: NDArray[np.void]) -> NDArray[np.void]:
    """`records`, which from now on cannot be written."""
    records.flags.writeable = False
    return records
