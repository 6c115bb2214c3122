"""A movie of the sheet coming apart, frame by frame, with its truth."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from streamer.frame import Frame, Stream
from streamer.simulator.contamination import (
    SHEET_ATOMS_PER_NM2,
    Blob,
    settle_blob,
)
from streamer.simulator.damage import Damage, fragment_turns, irradiate
from streamer.simulator.microscope import (
    Microscope,
    detect,
    expected_counts,
    row_jitter,
    scanned_positions,
)
from streamer.simulator.sheet import Growth, Sheet, grow_sheet
from streamer.simulator.truth import Truth, truth_of

CHANNEL = "HAADF"
SOURCE = "simulator"


@dataclass(frozen=True, slots=True)
class Movie:
    """What is simulated; the defaults give a movie like the paper's."""

    frames: int = 50
    growth: Growth = field(default_factory=Growth)
    damage: Damage = field(default_factory=Damage)
    microscope: Microscope = field(default_factory=Microscope)
    blob_radius_nm: float = 1.6
    """Of the contamination at the start; 0 for a clean sheet."""
    blob_layers: float = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """One simulated frame and what is really there."""

    index: int
    image: NDArray[np.float32]
    truth: Truth
    microscope: Microscope

    def frame(self, stream: Stream, epoch_ns: int) -> Frame:
        """The exposure as a frame of `stream`, whose first began at `epoch_ns`."""
        period_ns = round(self.microscope.frame_time_s * 1e9)
        start_ns = epoch_ns + self.index * period_ns
        return Frame(
            stream=stream,
            seq=self.index,
            image=self.image,
            pixel_size_nm=self.microscope.pixel_size_nm,
            start_ns=start_ns,
            end_ns=start_ns + period_ns,
            dwell_time_us=self.microscope.dwell_time_us,
            dose_e_nm2=self.microscope.dose_e_nm2,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Specimen:
    """What lies under the beam when a frame begins."""

    sheet: Sheet
    blob: Blob


def simulate(movie: Movie, seed: int) -> Iterator[Exposure]:
    """The exposures of `movie`, one after the other; the same for the same seed."""
    rng = np.random.default_rng(seed)
    for index, specimen in enumerate(evolve(movie, rng)):
        yield expose(specimen.sheet, [specimen.blob], movie.microscope, index, rng)


def evolve(movie: Movie, rng: np.random.Generator) -> Iterator[Specimen]:
    """The specimen at the start of each frame, whoever looks at it, and how often."""
    growth = replace(movie.growth, field_nm=movie.microscope.field_nm)
    sheet = grow_sheet(growth, rng)
    turns = fragment_turns(movie.damage, growth.fragments, movie.frames, rng)
    blob = settle_blob(growth.field_nm, movie.blob_radius_nm, movie.blob_layers, rng)
    for index in range(movie.frames):
        yield Specimen(sheet, blob)
        sheet = irradiate(sheet, movie.damage, turns[index], rng)
        blob = blob.grown(1.005)


def expose(
    sheet: Sheet,
    blobs: list[Blob],
    microscope: Microscope,
    index: int,
    rng: np.random.Generator,
) -> Exposure:
    """Scan the sheet once."""
    phase = rng.uniform(0, 2 * math.pi)
    rowcol = scanned_positions(sheet.xy_nm, microscope, phase)
    dirt = np.concatenate([blob.atoms(rng) for blob in blobs] or [np.empty((0, 2))])
    image = expected_counts(
        np.concatenate([rowcol, scanned_positions(dirt, microscope, phase)]),
        np.concatenate([microscope.weights(sheet.species), np.ones(len(dirt))]),
        microscope,
        row_jitter(microscope.scan, microscope.shape[0], rng),
    )
    hidden = np.zeros(len(sheet), bool)
    for blob in blobs:
        hidden |= blob.covers(sheet.xy_nm)
    return Exposure(
        index=index,
        image=detect(image + background_counts(microscope), microscope, rng),
        truth=truth_of(sheet, rowcol, microscope.shape, hidden),
        microscope=microscope,
    )


def background_counts(microscope: Microscope) -> float:
    """Mean counts in a pixel of vacuum."""
    atoms_per_pixel = SHEET_ATOMS_PER_NM2 * microscope.pixel_size_nm**2
    return microscope.background * microscope.counts_per_carbon * atoms_per_pixel
