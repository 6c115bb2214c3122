"""Simulated patches with their labels, varied beyond what a microscope will show.

Each patch is a random cut of a damaged sheet, turned, displaced, strained, dirtied,
scanned by a random microscope, and brought to the network's pixel size by the very
resampling and normalisation that serve.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from inference.normalise import normalise
from inference.resample import Grid, resample
from streamer.simulator.contamination import Blob
from streamer.simulator.damage import Damage, fragment_turns, irradiate
from streamer.simulator.microscope import (
    Microscope,
    Probe,
    Scan,
    detect,
    expected_counts,
    row_jitter,
    scanned_positions,
)
from streamer.simulator.sheet import SILICON, Growth, Sheet, grow_sheet

PIXEL_SIZE_NM = 0.02
"""What the network works at."""
PATCH_PX = 160
LABEL_SIGMA_NM = 0.035
"""Width of an atom in the labels."""
SCALES = (0.78, 1.28)
"""Calibrations of real frames are wrong by up to a fifth: the lattice of some scenes is
that much larger or smaller than it claims to be."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One patch at the network's pixel size."""

    image: NDArray[np.float16]
    """(PATCH_PX, PATCH_PX), normalised."""
    atom: NDArray[np.float16]
    """Target probability that an atom is here: a Gaussian at each."""
    silicon: NDArray[np.bool_]
    """True where the nearest atom is Si."""


def damaged_sheets(rng: np.random.Generator) -> list[Sheet]:
    """A sheet of 9 nm, rich in Si, at all stages of its damage."""
    growth = Growth(field_nm=9.0, silicon_per_nm2=0.5, holes_per_nm2=0.03)
    sheet = grow_sheet(growth, rng)
    turns = fragment_turns(Damage(), growth.fragments, 50, rng)
    stages = []
    for step, turn in enumerate(turns):
        if step % 8 == 0:
            stages.append(sheet)
        sheet = irradiate(sheet, Damage(), turn, rng)
    return stages


def scenes(pool: list[Sheet], rng: np.random.Generator) -> Iterator[Scene]:
    """Random scenes without end."""
    while True:
        yield scene(pool[rng.integers(len(pool))], rng)


def scene(sheet: Sheet, rng: np.random.Generator) -> Scene:
    """One random patch of `sheet`."""
    microscope = random_microscope(rng)
    sheet = random_cut(sheet, microscope.field_nm, rng)
    sheet = random_displacements(sheet, rng)
    dirt_xy, dirt_weights, blobs = random_dirt(sheet, microscope.field_nm, rng)
    phase = rng.uniform(0, 2 * math.pi)
    rowcol = scanned_positions(sheet.xy_nm, microscope, phase)
    expected = expected_counts(
        np.concatenate([rowcol, scanned_positions(dirt_xy, microscope, phase)]),
        np.concatenate([microscope.weights(sheet.species), dirt_weights]),
        microscope,
        row_jitter(microscope.scan, microscope.shape[0], rng),
    )
    counts = detect(expected + random_haze(microscope, rng), microscope, rng)
    grid = Grid(microscope.shape, (PATCH_PX, PATCH_PX))
    visible = np.ones(len(sheet), bool)
    for blob in blobs:
        visible &= ~blob.covers(sheet.xy_nm)
    atom, silicon = labels(
        grid.to_resampled(rowcol[visible]), sheet.species[visible] == SILICON
    )
    if len(sheet) == 0 and rng.random() < 0.4:
        # Smoothed noise has spots as wide as atoms, and still there are none.
        counts = gaussian_filter(counts, rng.uniform(0.3, 2.5))
    image = normalise(resample(counts, grid))
    return Scene(image.astype(np.float16), atom, silicon)


def random_microscope(rng: np.random.Generator) -> Microscope:
    """Any acquisition that the network should cope with."""
    field_nm = PATCH_PX * PIXEL_SIZE_NM * random_scale(rng)
    side = round(field_nm / math.exp(rng.uniform(math.log(0.008), math.log(0.032))))
    dose = math.exp(rng.uniform(math.log(0.07), math.log(10)))
    nominal = Microscope()
    area_share = field_nm**2 / nominal.field_nm**2
    return replace(
        nominal,
        shape=(side, side),
        field_nm=field_nm,
        frame_time_s=nominal.frame_time_s * area_share * dose,
        z_exponent=rng.uniform(1.0, 2.2),
        probe=Probe(
            fwhm_nm=rng.uniform(0.075, 0.16),
            # Out of focus most of the intensity is outside the core.
            tail_fraction=rng.uniform(0.03, 0.35 if rng.random() < 0.8 else 0.65),
            tail_sigma_nm=rng.uniform(0.08, 0.2),
            astigmatism=rng.uniform(-0.1, 0.1),
        ),
        scan=Scan(
            jitter_px=rng.uniform(0, 0.5),
            drift_nm=(rng.normal(0, 0.05), rng.normal(0, 0.05)),
            wobble_nm=rng.uniform(0, 0.01),
            flyback_nm=rng.uniform(0, 0.15) if rng.random() < 0.15 else 0.0,
        ),
        read_noise=rng.uniform(0, 0.3),
    )


def random_scale(rng: np.random.Generator) -> float:
    """True width of a patch relative to what its calibration says."""
    if rng.random() < 0.65:
        return rng.normal(1.0, 0.02)
    return math.exp(rng.uniform(*np.log(SCALES)))


def random_cut(sheet: Sheet, size_nm: float, rng: np.random.Generator) -> Sheet:
    """A square of the sheet in any orientation, sometimes with much vacuum."""
    reach = size_nm * 0.75
    low, high = reach - 1, sheet.field_nm - reach + 1
    centred = sheet.xy_nm - rng.uniform(low, high, 2)
    angle = rng.uniform(0, 2 * math.pi)
    cos, sin = math.cos(angle), math.sin(angle)
    mirror = rng.choice([-1.0, 1.0])
    xy = centred @ np.array([[cos, -sin], [sin, cos]]) * [1.0, mirror] + size_nm / 2
    near = ((xy > -0.5) & (xy < size_nm + 0.5)).all(axis=1)
    cut = Sheet(xy[near], sheet.species[near], sheet.fragment[near], size_nm)
    return cut.keep(~_vacuum(cut.xy_nm, size_nm, rng))


def _vacuum(
    xy: NDArray[np.float64], size_nm: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Atoms to take away: none, all, those in a large hole, or beyond a border."""
    kind = rng.random()
    if kind < 0.53:
        return np.zeros(len(xy), bool)
    if kind < 0.63:
        # Noise alone, which a network that has never seen it takes for a faint lattice.
        return np.ones(len(xy), bool)
    if kind < 0.85:
        centre = rng.uniform(0, size_nm, 2)
        return np.asarray(np.hypot(*(xy - centre).T) < rng.uniform(0.3, 0.7) * size_nm)
    angle = rng.uniform(0, 2 * math.pi)
    across = (xy - size_nm / 2) @ [math.cos(angle), math.sin(angle)]
    return np.asarray(across > rng.uniform(-0.5, 0.4) * size_nm)


def random_displacements(sheet: Sheet, rng: np.random.Generator) -> Sheet:
    """Atoms off their ideal sites: independently, and by a smooth strain."""
    xy = sheet.xy_nm.copy()
    if rng.random() < 0.7:
        xy += rng.normal(0, rng.uniform(0.003, 0.028), xy.shape)
    if rng.random() < 0.4:
        period = rng.uniform(2, 8)
        strain = rng.uniform(0, 0.03)
        direction = rng.normal(size=2)
        wave = 2 * math.pi / period * direction / np.hypot(*direction)
        push = rng.normal(size=2)
        amplitude = strain * period / (2 * math.pi) * push / np.hypot(*push)
        xy += np.sin(xy @ wave + rng.uniform(0, 2 * math.pi))[:, None] * amplitude
    return sheet.moved(xy)


def random_dirt(
    sheet: Sheet, size_nm: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[Blob]]:
    """Amorphous patches, and compact bright spots that are not Si.

    Returns
    -------
    positions (N, 2), weights (N,), and the patches that hide what is beneath.
    """
    xy, weights, blobs = [np.empty((0, 2))], [np.empty(0)], []
    if rng.random() < 0.25:
        waves = np.stack([rng.uniform(0, 0.2, 3), rng.uniform(0, 6.28, 3)], axis=1)
        x, y = rng.uniform(-0.2 * size_nm, 1.2 * size_nm, 2)
        blob = Blob((x, y), rng.uniform(0.3, 1.3), waves, rng.uniform(2, 12))
        xy.append(blob.atoms(rng))
        weights.append(np.ones(len(xy[-1])))
        blobs.append(blob)
    if rng.random() < 0.25:
        for _ in range(rng.integers(1, 4)):
            spot = _spot(sheet, size_nm, rng)
            xy.append(spot)
            weights.append(np.full(len(spot), rng.uniform(0.6, 1.5)))
    return np.concatenate(xy), np.concatenate(weights), blobs


def _spot(
    sheet: Sheet, size_nm: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A cluster wider than one atom, in vacuum where there is any."""
    places = rng.uniform(0, size_nm, (24, 2))
    if len(sheet):
        distance = np.asarray(KDTree(sheet.xy_nm).query(places)[0])
        places = places[np.argsort(distance)[-4:]]
    spread = rng.uniform(0.07, 0.15)
    scatter = rng.normal(0, spread, (rng.integers(6, 30), 2))
    return np.asarray(places[rng.integers(len(places))] + scatter, np.float64)


def random_haze(
    microscope: Microscope, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Counts that come from no atom: an even level and a slow cloud."""
    sheet_mean = microscope.counts_per_carbon * 38 * microscope.pixel_size_nm**2
    rows, cols = microscope.shape
    level = rng.uniform(0.0, 0.5) * sheet_mean
    if rng.random() < 0.1:
        # A detector with an offset: noise that is not skewed, as few counts are.
        level += rng.uniform(1, 50)
    cloud = rng.uniform(0, 0.5) * sheet_mean if rng.random() < 0.3 else 0.0
    y, x = np.mgrid[0:rows, 0:cols] / rows
    kx, ky = rng.normal(0, 4, 2)
    wave = 1 + np.sin(kx * x + ky * y + rng.uniform(0, 2 * math.pi))
    return np.asarray(level + cloud * wave, np.float32)


def labels(
    rowcol: NDArray[np.float64], is_silicon: NDArray[np.bool_]
) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
    """Target probability of an atom, and where the nearest atom is Si.

    Parameters
    ----------
    rowcol
        (N, 2): positions in pixels of the patch.
    is_silicon
        (N,)
    """
    shape = (PATCH_PX, PATCH_PX)
    if len(rowcol) == 0:
        return np.zeros(shape, np.float16), np.zeros(shape, bool)
    axis = np.arange(PATCH_PX)
    pixels = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    distance, nearest = KDTree(rowcol).query(pixels)
    sigma_px = LABEL_SIGMA_NM / PIXEL_SIZE_NM
    atom = np.exp(-0.5 * (np.asarray(distance) / sigma_px) ** 2)
    silicon = is_silicon[np.asarray(nearest)]
    return atom.reshape(shape).astype(np.float16), silicon.reshape(shape)
