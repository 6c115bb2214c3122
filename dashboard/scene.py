"""One analysed frame as browsers draw it: made once, shared by every page."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dashboard.bins import BINS, Bins, merged
from streamer.analysis import Analysis, Flag, ModelId, Summary
from streamer.atoms import Atoms
from streamer.frame import Completeness, Stream

IMAGE_SIDE_PX = 672
"""Longest side of an image sent to a browser; with the atoms of a frame of 16 nm
that makes less than 0.9 MB an update, and 6 pixels a bond."""

ATOMS_DRAWN = 60_000
"""Atoms sent to a browser at most; of more, an even choice is drawn."""

ANGLE = "angle_deg"
"""The quantity that every model gives, beside its latents."""

SCORE = "score_percent"
"""How sure the network is of an atom, 0..100."""

SIGMA = "position_sigma_pm"
"""Standard uncertainty of an atom's position along either axis; NaN if not refined."""

GREYS = 256
"""Grey levels of an image."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the frame lies: edges, not pixel centres, rows growing downward."""

    left: float
    top: float
    width: float
    height: float
    unit: str
    """"nm", or "px" for a frame without calibration."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What pages show of one frame."""

    stream: Stream
    seq: int
    time_s: float
    """Since the stream's first frame; NaN if unknown."""
    dose_e_nm2: float
    """Accumulated; NaN if unknown."""
    model: ModelId
    provider: str
    flags: tuple[Flag, ...]
    summary: Summary
    stages_ms: Mapping[str, float]
    latency_s: float
    pixel_size_nm: float | None
    """What was used."""
    pixel_size_estimated: bool
    """It was estimated from this frame's own lattice."""
    told_pixel_size_nm: float | None
    """What the lattice tells, where that was used or contradicts what was used."""
    extent: Extent
    shape: tuple[int, int]
    """(rows, cols) of the frame in pixels."""
    completeness: Completeness
    rows_so_far: int | None
    """That had been scanned of a frame that is not complete; None of one that is, and
    where nobody says."""
    image: NDArray[np.uint8]
    """(rows, cols), at most `IMAGE_SIDE_PX` a side; the first row is the top one. Rows
    that had not been scanned are left out."""
    image_height: float
    """Of `image` on the sample, in the unit of `extent`."""
    low: float
    """Value of the frame that is drawn black."""
    high: float
    """Value of the frame that is drawn white."""
    greys: NDArray[np.uint32]
    """(GREYS,) pixels of the preview by grey level, evenly from `low` to `high`; those
    of rows that had not been scanned are left out."""
    atoms: Mapping[str, NDArray[np.generic]]
    """x, y (in the unit of `extent`), species, `SCORE`, `SIGMA`, `ANGLE` and the
    latents of each atom; Si last, so that it is drawn on top."""
    table: Atoms
    """All atoms of the analysis, for those who want them in a file; more than drawn
    when there are over `ATOMS_DRAWN`."""
    bins: Mapping[str, Bins]
    """By quantity, as they were when this frame came; missing where all is NaN."""
    counts: Mapping[str, NDArray[np.uint32]]
    """(BINS,) atoms by value of each quantity, in `bins`; zeros without bins."""

    def histogram(self, quantity: str, bins: Bins) -> NDArray[np.uint32]:
        """(BINS,) atoms by value, in bins that have become wider since."""
        counts = self.counts[quantity]
        old = self.bins.get(quantity)
        return counts if old is None else merged(counts, old, bins)

    @property
    def pixel(self) -> float:
        """Side of one pixel of the frame as it arrived, in the unit of `extent`."""
        return 1.0 if self.pixel_size_nm is None else self.pixel_size_nm

    @property
    def found(self) -> int:
        """Atoms in the analysis."""
        return len(self.table)

    @property
    def nbytes(self) -> int:
        """Memory that the arrays take."""
        columns = (*self.atoms.values(), *self.table.columns().values())
        return self.image.nbytes + sum(column.nbytes for column in columns)


# What another program publishes may hold any number: infinity is drawn as nothing.
@np.errstate(over="ignore", invalid="ignore")
def scene(analysis: Analysis, bins: Mapping[str, Bins]) -> Scene:
    """The frame of `analysis`, ready to be drawn, counted in `bins`."""
    values = quantities(analysis)
    where = extent(analysis)
    image, share = scanned(shrunk(analysis.preview.image), analysis)
    return Scene(
        stream=analysis.stream,
        seq=analysis.seq,
        time_s=analysis.time_s,
        dose_e_nm2=analysis.dose_e_nm2,
        model=analysis.model,
        provider=analysis.provider,
        flags=analysis.flags,
        summary=analysis.summary,
        stages_ms=analysis.stages_ms,
        latency_s=analysis.latency_s,
        pixel_size_nm=analysis.pixel_size_nm,
        pixel_size_estimated=Flag.PIXEL_SIZE_ESTIMATED in analysis.flags,
        told_pixel_size_nm=analysis.estimated_pixel_size_nm,
        extent=where,
        shape=analysis.shape,
        completeness=analysis.completeness,
        rows_so_far=analysis.rows_so_far,
        image=image,
        image_height=where.height * share,
        low=analysis.preview.low,
        high=analysis.preview.high,
        greys=counted_greys(scanned(analysis.preview.image, analysis)[0]),
        atoms=MappingProxyType(drawn_atoms(analysis)),
        table=apart(analysis.atoms),
        bins=bins,
        counts={name: counted(each, bins.get(name)) for name, each in values.items()},
    )


def apart(atoms: Atoms) -> Atoms:
    """`atoms` in memory of their own.

    What came in a message keeps all of it in memory, its picture too.
    """
    columns = {name: column.copy() for name, column in atoms.columns().items()}
    return Atoms.from_columns(columns)


def quantities(analysis: Analysis) -> dict[str, NDArray[np.float32]]:
    """`atom_quantities` of a frame."""
    return atom_quantities(analysis.atoms, analysis.model)


@np.errstate(over="ignore", invalid="ignore")
def atom_quantities(atoms: Atoms, model: ModelId) -> dict[str, NDArray[np.float32]]:
    """Angle in degrees, half a period about zero as in the table, and each latent.

    A value per atom. A latent that the model promises and the table lacks is NaN
    throughout.
    """
    unknown = np.full(len(atoms), np.nan, np.float32)
    period = angle_period_deg(model)
    degrees = np.degrees(atoms.angle_rad.astype(np.float64))
    degrees = (degrees + period / 2) % period - period / 2
    latents = {name: atoms.latents.get(name, unknown) for name in model.latents}
    return {**latents, ANGLE: degrees.astype(np.float32)}


def quantity_names(model: ModelId) -> tuple[str, ...]:
    """Keys of `quantities` in the order in which they are shown."""
    return (ANGLE, *(name for name in model.latents if name != ANGLE))


def order_column(model: ModelId) -> str:
    """The column of `Scene.atoms` that the map beside the angle shows.

    Crystallinity, else the model's first latent, else how sure the network is.
    """
    if "crystallinity" in model.latents:
        return "crystallinity"
    return next(iter(model.latents), SCORE)


def angle_period_deg(model: ModelId) -> float:
    """The angle after which an orientation looks the same, rounded to 1e-6 degrees."""
    return round(float(np.degrees(model.angle_period_rad)), 6)


def extent(analysis: Analysis) -> Extent:
    """Edges of the frame in nm, in pixels if it has no calibration."""
    rows, cols = analysis.shape
    if analysis.pixel_size_nm is None:
        return Extent(-0.5, -0.5, float(cols), float(rows), "px")
    pixel, (x, y) = analysis.pixel_size_nm, analysis.origin_nm
    return Extent(x - pixel / 2, y - pixel / 2, cols * pixel, rows * pixel, "nm")


def shrunk(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image averaged down to at most `IMAGE_SIDE_PX` a side, aspect kept."""
    rows, cols = image.shape
    scale = IMAGE_SIDE_PX / max(rows, cols, 1)
    if scale >= 1 or not image.size:
        return np.array(image, order="C")  # not what a message brought: see `apart`
    size = (max(1, round(cols * scale)), max(1, round(rows * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def counted_greys(image: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(GREYS,) pixels by grey level."""
    # Three times as fast as NumPy, which makes 64-bit numbers of the pixels first.
    return np.array(Image.fromarray(image).histogram(), np.uint32)


def position_sigma_pm(atoms: Atoms) -> NDArray[np.float32]:
    """Standard uncertainty of each position along either axis, root mean square."""
    squares = (atoms.x_sigma_nm**2 + atoms.y_sigma_nm**2) / 2
    return np.sqrt(squares) * np.float32(1e3)


def scanned(
    image: NDArray[np.uint8], analysis: Analysis
) -> tuple[NDArray[np.uint8], float]:
    """The rows of `image` that had been scanned, at least one, and their share."""
    if analysis.rows_so_far is None:
        return image, 1.0
    rows = len(image) * analysis.rows_so_far // analysis.shape[0]
    rows = min(max(rows, 1), len(image))
    return image[:rows], rows / max(len(image), 1)


def counted(values: NDArray[np.float32], bins: Bins | None) -> NDArray[np.uint32]:
    """(BINS,) `bins.count`; zeros where no finite value was ever seen."""
    return np.zeros(BINS, np.uint32) if bins is None else bins.count(values)


def drawable_columns(
    atoms: Atoms, model: ModelId, *, calibrated: bool
) -> dict[str, NDArray[np.generic]]:
    """What can be drawn of atoms: columns of `Scene.atoms`, of all of them."""
    return {
        **atom_quantities(atoms, model),
        "x": atoms.x_nm if calibrated else atoms.col_px,
        "y": atoms.y_nm if calibrated else atoms.row_px,
        "species": atoms.species,
        SIGMA: position_sigma_pm(atoms),
        SCORE: np.round(np.nan_to_num(atoms.score).clip(0, 1) * 100).astype(np.uint8),
    }


def drawn_atoms(analysis: Analysis) -> dict[str, NDArray[np.generic]]:
    """Columns of `Scene.atoms`."""
    atoms = analysis.atoms
    calibrated = analysis.pixel_size_nm is not None
    columns = drawable_columns(atoms, analysis.model, calibrated=calibrated)
    every = -(-len(atoms) // ATOMS_DRAWN) or 1
    order = np.argsort(atoms.species, kind="stable")[::every]
    return {name: column[order] for name, column in columns.items()}
