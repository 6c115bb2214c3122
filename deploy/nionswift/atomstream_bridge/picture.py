"""An analysis as Nion Swift shows it: an image with its calibration, and marks."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.analysis import Analysis
from streamer.atoms import SPECIES as SPECIES_NAMES
from streamer.atoms import Atoms
from streamer.errors import FrameError
from streamer.frame import JsonValue

from . import palette
from .placing import Placing, placing_of
from .results_settings import ATOMS, CRYSTALLINITY, ORIENTATION

MAX_MARKS = 50
"""Atoms that are graphics of Nion Swift, whose work grows with the square of their
number (docs/nion.md); more are painted into the image."""
DOT_NM, DISC_NM = (0.022, 0.06), (0.082, 0.11)
"""Radii of C and Si: dots that let the frame be seen, and discs that nearly touch."""
DOT_PX, DISC_PX = (2.0, 4.0), (5.0, 7.0)
"""The same in pixels of a frame whose pixel size nobody knows."""
MOST_RADIUS_PX = 32.0
"""Of a disc, whatever the pixel size: one pixel after the other is painted in all discs
at once, and a wrong calibration can make an atom as large as the image."""
DIMMED = 0.5
"""How bright the frame is behind discs."""
ORDER_PERCENTILES = (2.0, 98.0)
"""Ends of the colours of order, among the atoms of the frame."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point at an atom, in fractions of the image."""

    y: float
    x: float
    colour: str


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What the data item of a channel is to be."""

    key: str
    """Which data item, unique in a project."""
    title: str
    image: NDArray[np.uint8]
    """(rows, cols), or (rows, cols, 3): red, green, blue."""
    values: tuple[float, float] | None
    """(offset, scale) of what the grey levels stand for; None of colours."""
    placing: Placing
    marks: tuple[Mark, ...]
    metadata: Mapping[str, JsonValue]


def picture_of(analysis: Analysis, view: str) -> Picture:
    """The picture of an analysis in one of `VIEWS`.

    Raises
    ------
    FrameError
        It has no picture, or its model tells no order.
    """
    if not analysis.preview.image.size:
        raise FrameError("the analysis has no picture of its frame")
    placing = placing_of(analysis)
    stream = analysis.stream
    image, marks = _drawn(analysis, view, placing)
    low, high = analysis.preview.low, analysis.preview.high
    return Picture(
        key=f"atomstream/{stream.source}/{stream.channel}",
        title=_title(analysis),
        image=image,
        values=(low, (high - low) / 255) if image.ndim == 2 else None,
        placing=placing,
        marks=marks,
        metadata=_told(analysis, view),
    )


def _drawn(
    analysis: Analysis, view: str, placing: Placing
) -> tuple[NDArray[np.uint8], tuple[Mark, ...]]:
    atoms, grey = analysis.atoms, analysis.preview.image
    if view != ATOMS:
        return _painted(analysis, view, placing, DIMMED, (DISC_NM, DISC_PX)), ()
    if len(atoms) <= MAX_MARKS:
        # Of its own: the analysis' would keep all of its message in memory.
        return grey.copy(), marks_of(atoms, np.arange(len(atoms)), placing)
    # Those that one looks for and clicks on; the others are too many.
    silicon = np.flatnonzero(atoms.species == SPECIES_NAMES.index("Si"))
    image = _painted(analysis, view, placing, 1.0, (DOT_NM, DOT_PX))
    few = silicon if len(silicon) <= MAX_MARKS else silicon[:0]
    return image, marks_of(atoms, few, placing)


def _painted(
    analysis: Analysis,
    view: str,
    placing: Placing,
    brightness: float,
    radii: tuple[tuple[float, float], tuple[float, float]],
) -> NDArray[np.uint8]:
    """The frame in grey with all of its atoms painted on it."""
    atoms, grey = analysis.atoms, analysis.preview.image
    image = np.repeat((grey * brightness).astype(np.uint8)[..., None], 3, axis=-1)
    colours = _colours(analysis, view)
    for species, (nm, px) in enumerate(zip(*radii, strict=True)):
        those = atoms.species == species
        rows, cols = placing.in_image(atoms.row_px[those], atoms.col_px[those])
        paint(image, rows, cols, placing.radius(nm, px), colours[those])
    return image


def _colours(analysis: Analysis, view: str) -> palette.Colours:
    """One for each atom, (atoms, 3)."""
    atoms = analysis.atoms
    if view == ORIENTATION:
        return palette.by_angle(atoms.angle_rad, analysis.model.angle_period_rad)
    if view == CRYSTALLINITY:
        return palette.by_order(order_of(analysis), *order_limits(analysis))
    return np.array([palette.rgb(c) for c in palette.SPECIES], np.uint8)[atoms.species]


def order_of(analysis: Analysis) -> NDArray[np.float32]:
    """Crystallinity of each atom.

    Raises
    ------
    FrameError
        The model tells none.
    """
    try:
        return analysis.atoms.latents[CRYSTALLINITY]
    except KeyError:
        raise FrameError(
            f"model {analysis.model.name} tells no {CRYSTALLINITY}; show something else"
        ) from None


def order_limits(analysis: Analysis) -> tuple[float, float]:
    """Crystallinity that is darkest and lightest; 0 and 0 where there is none."""
    order = order_of(analysis)
    known = order[np.isfinite(order)]
    if not known.size:
        return 0.0, 0.0
    low, high = np.percentile(known, ORDER_PERCENTILES)
    return float(low), float(high)


def marks_of(
    atoms: Atoms, which: NDArray[np.integer], placing: Placing
) -> tuple[Mark, ...]:
    """A point at each of these atoms, in the colour of its species."""
    ys, xs = placing.in_fractions(atoms.row_px[which], atoms.col_px[which])
    colours = [palette.SPECIES[species] for species in atoms.species[which]]
    return tuple(map(Mark, ys.tolist(), xs.tolist(), colours))


def paint(
    image: NDArray[np.uint8],
    rows: NDArray[np.floating],
    cols: NDArray[np.floating],
    radius_px: float,
    colours: palette.Colours,
) -> None:
    """Paint discs into `image`, each at least one pixel; what is outside is cut off.

    None is larger than `MOST_RADIUS_PX`.
    """
    if not rows.size:
        return
    radius_px = min(radius_px, MOST_RADIUS_PX)
    reach = int(np.ceil(radius_px))
    row0, col0 = np.rint(rows).astype(int), np.rint(cols).astype(int)
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            if down**2 + right**2 > radius_px**2:
                continue
            row, col = row0 + down, col0 + right
            inside = (row >= 0) & (row < image.shape[0])
            inside &= (col >= 0) & (col < image.shape[1])
            image[row[inside], col[inside]] = colours[inside]


def _title(analysis: Analysis) -> str:
    counts = ", ".join(
        f"{analysis.summary.counts.get(name, 0)} {name}" for name in SPECIES_NAMES
    )
    return f"{analysis.stream.channel} atoms, frame {analysis.seq}: {counts}"


def _told(analysis: Analysis, view: str) -> Mapping[str, JsonValue]:
    """What is known of the analysis, for who looks at the data item's metadata."""
    summary, stream = analysis.summary, analysis.stream
    told: dict[str, JsonValue] = {
        "source": stream.source,
        "channel": stream.channel,
        "stream": stream.id,
        "frame": analysis.seq,
        "completeness": str(analysis.completeness),
        "model": analysis.model.name,
        "flags": [str(flag) for flag in analysis.flags],
        "counts": dict(summary.counts),
        "view": view,
        "pixel_size_source": analysis.pixel_size_source
        and str(analysis.pixel_size_source),
        "time_s": _finite(analysis.time_s),
        "mean_crystallinity": _finite(summary.mean_crystallinity),
        "hole_area_nm2": _finite(summary.hole_area_nm2),
        "lattice_constant_nm": _finite(summary.lattice_constant_nm),
    }
    if view == CRYSTALLINITY:
        told["dark_and_light"] = list(order_limits(analysis))
    if view == ORIENTATION:
        told["angle_period_rad"] = analysis.model.angle_period_rad
    return told


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
