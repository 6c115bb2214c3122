"""What was found in one frame, and by which model."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from streamer.atoms import Atoms
from streamer.frame import Completeness, Stream
from streamer.histogram import Histogram

FRAME_BUDGET_S = 33.5
"""Time that the microscope takes for one frame, in which the analysis must be done."""


class Flag(StrEnum):
    """Why an analysis, or a frame, is not to be taken at face value."""

    NO_PIXEL_SIZE = "no-pixel-size"
    """The frame has no calibration, none was given, and its lattice, if it shows one,
    does not tell: it was not analysed."""
    PIXEL_SIZE_ESTIMATED = "pixel-size-estimated"
    """The pixel size that was used is the one by which the frame's own lattice is that
    of graphene."""
    PIXEL_SIZE_DOUBTFUL = "pixel-size-doubtful"
    """With the pixel size that was used, the lattice is not as large as graphene's, by
    more than strain could explain."""
    NOT_FINITE = "not-finite"
    """Pixels that are NaN or infinite were replaced before the analysis."""
    CONSTANT = "constant"
    """Every pixel has the same value: there is nothing to find."""
    CONSTANT_ROWS = "constant-rows"
    """The last rows are all one value although the frame says that it is complete."""
    PARTIAL = "partial"
    """Only the rows that had been scanned were analysed."""
    TOO_SMALL = "too-small"
    """Too few pixels for the network, at its own nm per pixel."""
    NO_ATOMS = "no-atoms"
    """Nothing was found, or nothing looked for: the flags before it say why."""
    BLURRED = "blurred"
    """The probe is too wide: neighbouring atoms merge, and their positions are hardly
    measured."""
    OTHER_LATTICE = "other-lattice"
    """What is seen is not the lattice that the model knows: another material, or a
    pixel size that is far off."""
    TOO_NOISY = "too-noisy"
    """Atoms can hardly be told from noise: too little dose, or nothing to see."""
    FAILED = "failed"
    """The analysis failed; the service's log says why."""


class PixelSizeSource(StrEnum):
    """Where the pixel size of an analysis comes from."""

    METADATA = "metadata"
    """The frame's own calibration, as it came; a stack that is told a pixel size when
    it is opened gives its frames that."""
    TOLD = "told"
    """The user said it."""
    LATTICE = "lattice"
    """Estimated from this frame's lattice."""


@dataclass(frozen=True, slots=True)
class ModelId:
    """Which model made an analysis, and what a reader must know of its latents."""

    name: str
    sha256: str
    """Of the model's card, which holds the SHA-256 of each of its files."""
    latents: tuple[str, ...]
    angle_period_rad: float
    """`angle_rad` means the same after this angle (2π/3 for a site of graphene)."""

    def __post_init__(self) -> None:
        if not 0 < self.angle_period_rad <= 2 * math.pi:
            raise ValueError(
                f"angles that repeat after {self.angle_period_rad} rad; "
                "expected more than 0 and at most 2π"
            )


@dataclass(frozen=True, slots=True)
class Summary:
    """One frame in numbers. NaN where there was nothing to average."""

    counts: Mapping[str, int]
    """Atoms by species."""
    area_nm2: float
    """Area that was analysed."""
    density_nm2: float
    """Atoms per nm² of that area."""
    hole_area_nm2: float
    """Area with no atom within 0.3 nm."""
    bond_length_nm: float
    """Median length of the bonds between C atoms, those at edges and defects too."""
    mean_crystallinity: float
    lattice_constant_nm: float = math.nan
    """Side of the hexagonal cell, 0.246 in graphene: √3 bonds where the lattice does
    not turn, and nothing pulls at it. In nm by the pixel size that was used; where that
    was estimated from the lattice, it is graphene's by assumption."""
    lattice_constant_sigma_nm: float = math.nan
    """Standard uncertainty of it by scatter in the frame; the pixel size's own, and
    what a distorted scan does to all atoms alike, come on top."""
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    """All atoms by `angle_rad`, from 0 to its period, and by each latent, in bins that
    are the model's. Empty where they were not counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The frame as the live view shows it."""

    image: NDArray[np.uint8]
    """(rows, cols), at most 1024 a side: 0 = `low`, 255 = `high`, clipped."""
    low: float
    """Value of the frame shown as black (its 0.5th percentile)."""
    high: float
    """Value of the frame shown as white (its 99.5th percentile)."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The atoms of one frame with everything a viewer needs to draw them."""

    stream: Stream
    seq: int
    model: ModelId
    provider: str
    """ONNX Runtime execution provider, for instance "CPUExecutionProvider"."""
    shape: tuple[int, int]
    """(rows, cols) of the frame."""
    pixel_size_nm: float | None
    """What was used; None if none is known."""
    origin_nm: tuple[float, float]
    """(x, y) of the centre of pixel (0, 0)."""
    time_s: float
    """Start of this frame since the start of the stream's first; NaN if unknown."""
    dose_e_nm2: float
    """Accumulated since the stream's start, this frame included; NaN if unknown."""
    completeness: Completeness
    flags: tuple[Flag, ...]
    atoms: Atoms
    summary: Summary
    stages_ms: Mapping[str, float]
    """Wall time of each stage of the analysis, in order."""
    latency_s: float
    """From the arrival of the frame to the end of its analysis."""
    preview: Preview
    pixel_size_source: PixelSizeSource | None = None
    """Where `pixel_size_nm` comes from; None if there is none, or nobody says."""
    estimated_pixel_size_nm: float | None = None
    """By which the frame's lattice would be graphene's, where that is what was used or
    contradicts what was used; else None."""
    rows_so_far: int | None = None
    """Rows that had been scanned of a frame that is not complete; None of one that is,
    and where nobody says."""


def pixel_size_source(
    used_nm: float | None, frames_own_nm: float | None, flags: Collection[Flag]
) -> PixelSizeSource | None:
    """Where the pixel size that an analysis used comes from; None if there is none."""
    if used_nm is None:
        return None
    if Flag.PIXEL_SIZE_ESTIMATED in flags:
        return PixelSizeSource.LATTICE
    if used_nm == frames_own_nm:
        return PixelSizeSource.METADATA
    return PixelSizeSource.TOLD
