"""What all atoms of a stream tell: read frame by frame, counted, and let go."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atomstream.report.figure import Progress
from atomstream.report.material import Material
from inference.densities import Bins
from inference.holes import distance_nm, edge_atoms, holes_of
from streamer.analysis import ModelId
from streamer.atoms import SPECIES
from streamer.session.records import AnalysisRecord

ANGLE = "angle_rad"
ORDER = "crystallinity"
SHOWN_PERCENT = (2.0, 98.0)
"""Of the atoms of a frame: between the least and the greatest of these a colour scale
ends."""
COUNTED_PERCENT = (0.1, 99.9)
"""The same of the bins of a density."""
ROOM = 0.03
"""Of the range, beyond that at either end, so that what is there does not touch it."""
WIDEST_NM = 1000.0
"""Fields that are wider cannot be atom-resolved, and are not searched for holes."""
BINS = 120
MOST_ROWS = 600
"""Of a density over time; of more frames, neighbours are counted together."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is drawn of each atom."""

    column: str
    """Of the atoms table."""
    title: str
    unit: str
    """"°", or "" for a plain number."""
    model: ModelId | None
    """By which alone it is given; None for what every model gives."""
    period: float | None = None
    """After which it repeats, in its unit."""

    @property
    def label(self) -> str:
        """For an axis."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def of(self, record: AnalysisRecord) -> bool:
        """Whether the atoms of a frame have it."""
        return self.model is None or record.model == self.model

    def values(self, column: NDArray[np.generic]) -> NDArray[np.float64]:
        """(N,) in its unit."""
        known = np.asarray(column, np.float64)
        return np.degrees(known) if self.column == ANGLE else known


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How one quantity is spread, over time."""

    quantity: Quantity
    frames: NDArray[np.intp]
    """(N,): which analyses of the material have it."""
    groups: NDArray[np.intp]
    """(N,): row of `counts` in which each is counted."""
    bins: Bins
    counts: NDArray[np.int64]
    """(rows, bins): atoms away from the frame's edge."""
    shown: tuple[float, float]
    """Ends of its colour scale, the same for all frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Silicon:
    """Each Si atom of each frame."""

    frame: NDArray[np.intp]
    """(N,): which analysis of the material."""
    x_nm: NDArray[np.float64]
    y_nm: NDArray[np.float64]
    to_edge_nm: NDArray[np.float64]
    """From the nearest atom that borders a hole; 0 for one that does, NaN where the
    frame shows no hole."""
    to_border_nm: NDArray[np.float64]
    """From the frame's border: no edge is seen beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """Of a whole stream."""

    spreads: tuple[Spread, ...]
    """Those of which there are values, the angle first."""
    silicon: Silicon


def quantities_of(models: Sequence[ModelId]) -> tuple[Quantity, ...]:
    """What can be drawn of atoms that these models saw.

    Angle and crystallinity mean the same by every model, but for the angle's period;
    what another latent means is each model's own affair.
    """
    alone = len(models) == 1
    periods = dict.fromkeys(model.angle_period_rad for model in models)
    found = [
        _angle(period, next(m for m in models if m.angle_period_rad == period))
        if len(periods) > 1
        else _angle(period, None)
        for period in periods
    ]
    if any(ORDER in model.latents for model in models):
        found.append(Quantity(ORDER, ORDER, "", None))
    for model in models:
        by = "" if alone else f" by {model.name} {model.sha256[:8]}"
        found += [
            Quantity(name, f"{name}{by}", "", None if alone else model)
            for name in model.latents
            if name != ORDER
        ]
    return tuple(found)


def survey_of(material: Material, progress: Progress) -> Survey:
    """Read the atoms of each frame twice: for the ranges, and to count."""
    steps = 2 * len(material.analyses)
    quantities = quantities_of(material.used)
    reaches: dict[Quantity, list[NDArray[np.float64]]] = {q: [] for q in quantities}
    silicon = []
    for number, record in enumerate(material.analyses):
        columns = _columns(material, record, quantities, "row_px", "col_px", "species")
        silicon.append(_silicon(number, record, columns))
        for quantity, values in _inner(record, quantities, columns).items():
            if len(values):
                reaches[quantity].append(
                    np.percentile(values, (*COUNTED_PERCENT, *SHOWN_PERCENT))
                )
        progress(number + 1, steps)
    spreads = {
        quantity: _empty(material, quantity, np.array(reach))
        for quantity, reach in reaches.items()
        if reach
    }
    for number, record in enumerate(material.analyses):
        columns = _columns(material, record, tuple(spreads))
        for quantity, values in _inner(record, tuple(spreads), columns).items():
            spread = spreads[quantity]
            row = spread.groups[np.searchsorted(spread.frames, number)]
            spread.counts[row] += spread.bins.counts(values)
        progress(len(material.analyses) + number + 1, steps)
    return Survey(tuple(spreads.values()), _together(silicon))


def analysed_shape(record: AnalysisRecord) -> tuple[int, int]:
    """(rows, cols) that were analysed: rows that had been scanned."""
    rows, cols = record.frame.shape
    if record.pixel_size_nm and math.isfinite(record.summary.area_nm2):
        rows = round(record.summary.area_nm2 / (record.pixel_size_nm**2 * cols))
    return rows, cols


def _angle(period_rad: float, model: ModelId | None) -> Quantity:
    by = f" by {model.name}" if model else ""
    return Quantity(ANGLE, f"angle{by}", "°", model, math.degrees(period_rad))


def _columns(
    material: Material,
    record: AnalysisRecord,
    quantities: Sequence[Quantity],
    *others: str,
) -> dict[str, NDArray[np.generic]]:
    wanted = [quantity.column for quantity in quantities if quantity.of(record)]
    return material.atoms(record, (*dict.fromkeys(wanted), "edge", *others))


def _inner(
    record: AnalysisRecord,
    quantities: Sequence[Quantity],
    columns: dict[str, NDArray[np.generic]],
) -> dict[Quantity, NDArray[np.float64]]:
    """Known values of the atoms whose sub-images lie within the frame."""
    inner = ~columns["edge"].astype(bool)
    found = {}
    for quantity in quantities:
        if quantity.of(record):
            values = quantity.values(columns[quantity.column])[inner]
            found[quantity] = values[np.isfinite(values)]
    return found


def _empty(
    material: Material, quantity: Quantity, reach: NDArray[np.float64]
) -> Spread:
    """Nothing counted yet; `reach` has a row of percentiles a frame."""
    frames = np.flatnonzero([quantity.of(record) for record in material.analyses])
    rows = min(len(frames), MOST_ROWS)
    low, high = float(reach[:, 0].min()), float(reach[:, 1].max())
    shown = float(reach[:, 2].min()), float(reach[:, 3].max())
    if quantity.period is not None:
        low, high = -quantity.period / 2, quantity.period / 2
        shown = low, high
    else:
        room = ROOM * (high - low) or 0.5
        low, high = low - room, high + room
    return Spread(
        quantity=quantity,
        frames=frames,
        groups=np.arange(len(frames)) * rows // len(frames),
        bins=Bins(low, high, BINS, cyclic=quantity.period is not None),
        counts=np.zeros((rows, BINS), np.int64),
        shown=shown,
    )


def _silicon(
    number: int, record: AnalysisRecord, columns: dict[str, NDArray[np.generic]]
) -> Silicon:
    """The Si atoms of one frame."""
    pixel_nm = record.pixel_size_nm or math.nan
    rowcol = np.column_stack([columns["row_px"], columns["col_px"]])
    where = pixel_nm * rowcol.astype(np.float64)
    # Anybody may have made a session, with any numbers in it.
    known = np.isfinite(where).all(axis=1)
    is_silicon = columns["species"][known] == SPECIES.index("Si")
    where = where[known]
    chosen = where[is_silicon]
    shape = analysed_shape(record)
    edges = np.empty((0, 2))
    if len(chosen) and pixel_nm * max(shape) <= WIDEST_NM:
        edges = where[edge_atoms(where, holes_of(where, shape, pixel_nm))]
    border = np.minimum(chosen, np.array(shape) * pixel_nm - chosen).min(
        axis=1, initial=np.inf
    )
    return Silicon(
        frame=np.full(len(chosen), number),
        x_nm=chosen[:, 1],
        y_nm=chosen[:, 0],
        to_edge_nm=distance_nm(chosen, edges),
        to_border_nm=border,
    )


def _together(frames: list[Silicon]) -> Silicon:
    nothing = Silicon(np.empty(0, np.intp), *(np.empty(0) for _ in range(4)))
    each = [nothing, *frames]
    return Silicon(
        frame=np.concatenate([one.frame for one in each]),
        x_nm=np.concatenate([one.x_nm for one in each]),
        y_nm=np.concatenate([one.y_nm for one in each]),
        to_edge_nm=np.concatenate([one.to_edge_nm for one in each]),
        to_border_nm=np.concatenate([one.to_border_nm for one in each]),
    )
