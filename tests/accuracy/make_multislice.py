# /// script
# requires-python = ">=3.12"
# dependencies = ["abtem==1.0.11", "ase>=3.25", "atomstream"]
# [tool.uv.sources]
# atomstream = { path = "../..", editable = true }
# ///
"""Make the frames that no training sees: multislice images of disordered graphene.

    uv run tests/accuracy/make_multislice.py OUT_FOLDER [NAME ...]

About a quarter of a minute of one core for each frame. abTEM is a dependency of
this script only. Atoms are at rest; noise is added by who reads the frames.

The sheets are cut from the simulator's; the images are not the simulator's. Atoms lie
in three dimensions, the probe is a wave with aberrations that goes through slices of
the potential, and the detector counts what is scattered between two angles.
"""

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import abtem
import ase
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from streamer.simulator.damage import Damage, fragment_turns, irradiate, relax
from streamer.simulator.sheet import SILICON, Growth, Sheet, find_bonds, grow_sheet

CELL_NM = 2.6
SHEET_NM = 9.0
HEIGHT_NM = 0.4
SILICON_HEIGHT_NM = 0.05
"""How far a Si stands out of the sheet."""
INTERPOLATION = 3
"""The probe is simulated in a window of a third of the cell, 0.87 nm. In a cell of
1.92 nm, windows of 0.96 and 0.64 nm changed the image by 0.6 and 1.8 % (root mean
square, of its maximum) against no window."""
SEAM_NM = 0.11
"""Nearer than this over the border of the periodic cell there is one atom too many."""
TURNING = Damage(edge_knockout=0.01, bond_rotation=0.03, silicon_hop=0.05)
"""Bonds turn (Stone-Wales) more often than atoms are lost."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One frame: what is looked at, and with what."""

    seed: int
    stage: int
    """Frames of the simulated movie before this one."""
    damage: Damage = field(default_factory=Damage)
    edge: float = math.nan
    """Where the sheet ends, as a fraction of the cell; NaN where it does not."""
    displacement_nm: float = 0.004
    """Standard deviation of each atom's place about its site, along x and along y."""
    strain: float = 0.0
    """Stretch along x."""
    energy_kv: float = 100.0
    semiangle_mrad: float = 30.0
    detector_mrad: tuple[float, float] = (80.0, 200.0)
    defocus_nm: float = 0.0
    astigmatism_nm: float = 0.0
    coma_nm: float = 0.0
    source_fwhm_nm: float = 0.08
    """Of the Gaussian that the effective source adds; kept beside the image."""


LOW_VOLTAGE = (60.0, 200.0)
SETTINGS = {
    "whole": Setting(seed=1, stage=0),
    "whole-displaced": Setting(seed=2, stage=0, displacement_nm=0.012),
    "strained": Setting(seed=3, stage=3, strain=0.03, source_fwhm_nm=0.06),
    "holes": Setting(seed=4, stage=14, defocus_nm=2.0),
    "holes-blurred": Setting(seed=5, stage=20, source_fwhm_nm=0.11),
    "edge": Setting(seed=6, stage=4, edge=0.55, astigmatism_nm=1.5),
    "edge-displaced": Setting(seed=7, stage=10, edge=0.7, displacement_nm=0.01),
    "turned-bonds": Setting(seed=8, stage=10, damage=TURNING),
    "turned-bonds-late": Setting(seed=9, stage=16, damage=TURNING, defocus_nm=-2.0),
    "ragged": Setting(seed=20, stage=36, displacement_nm=0.008),
    "ragged-late": Setting(seed=11, stage=45, source_fwhm_nm=0.09),
    "coma": Setting(seed=12, stage=12, coma_nm=150.0),
    "defocused": Setting(seed=13, stage=16, defocus_nm=5.0),
    "60-kv": Setting(
        seed=15, stage=12, energy_kv=60.0, detector_mrad=LOW_VOLTAGE,
        source_fwhm_nm=0.06,
    ),
    "60-kv-edge": Setting(
        seed=16, stage=24, energy_kv=60.0, detector_mrad=LOW_VOLTAGE, edge=0.6,
        astigmatism_nm=1.5,
    ),
}  # fmt: skip
"""Frames by name; seeds give the sheets, and no training uses them."""


def cell_sheet(setting: Setting) -> tuple[Sheet, NDArray[np.float64]]:
    """The atoms of one periodic cell, whose border is a seam of the lattice.

    Returns
    -------
    The sheet, and (N, 2) the relaxed sites that its atoms were displaced from.
    """
    rng = np.random.default_rng([2718, setting.seed])
    sites = relax(_cut(_damaged(setting, rng), setting, rng))
    sites = sites.keep(find_bonds(sites).coordination > 0)
    move = rng.normal(0, setting.displacement_nm, sites.xy_nm.shape)
    sheet = sites.moved(sites.xy_nm + move)
    belongs = _belongs(sheet.xy_nm)
    return sheet.keep(belongs), sites.xy_nm[belongs]


def _damaged(setting: Setting, rng: np.random.Generator) -> Sheet:
    growth = Growth(field_nm=SHEET_NM, silicon_per_nm2=0.5, holes_per_nm2=0.03)
    sheet = grow_sheet(growth, rng)
    turns = fragment_turns(setting.damage, growth.fragments, 50, rng)
    for turn in turns[: setting.stage]:
        sheet = irradiate(sheet, setting.damage, turn, rng)
    return sheet


def _cut(sheet: Sheet, setting: Setting, rng: np.random.Generator) -> Sheet:
    """A cell and a margin of a sheet, in any orientation."""
    centred = sheet.xy_nm - rng.uniform(3, SHEET_NM - 3, 2)
    angle = rng.uniform(0, 2 * math.pi)
    cos, sin = math.cos(angle), math.sin(angle)
    xy = centred @ np.array([[cos, -sin], [sin, cos]]) * [1 + setting.strain, 1]
    near = (np.abs(xy) < CELL_NM / 2 + 0.5).all(axis=1)
    if not math.isnan(setting.edge):
        near &= xy[:, 0] < (setting.edge - 0.5) * CELL_NM
    cut = Sheet(xy + CELL_NM / 2, sheet.species, sheet.fragment, CELL_NM)
    return cut.keep(near)


def _belongs(xy_nm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,): atoms of the cell, and of two that meet over its border only one."""
    mask = ((xy_nm >= 0) & (xy_nm < CELL_NM)).all(axis=1)
    inside = np.flatnonzero(mask)
    tree = KDTree(xy_nm[inside], boxsize=CELL_NM)
    over = inside[tree.query_pairs(SEAM_NM, output_type="ndarray")]
    apart = np.abs(np.diff(xy_nm[over], axis=1)[:, 0]).max(axis=1)
    mask[over[apart > CELL_NM / 2, 1]] = False
    return np.asarray(mask)


def atoms_of(sheet: Sheet, rng: np.random.Generator) -> ase.Atoms:
    """The sheet in three dimensions (in Å): gently rippled, Si out of its plane."""
    direction, phase = rng.uniform(0, 2 * math.pi, 2)
    along = sheet.xy_nm @ [math.cos(direction), math.sin(direction)]
    height = HEIGHT_NM / 2 + 0.03 * np.sin(2 * math.pi * along / CELL_NM + phase)
    is_silicon = sheet.species == SILICON
    height += SILICON_HEIGHT_NM * is_silicon
    return ase.Atoms(
        numbers=np.where(is_silicon, 14, 6),
        positions=np.column_stack([sheet.xy_nm, height]) * 10,
        cell=np.array([CELL_NM, CELL_NM, HEIGHT_NM]) * 10,
        pbc=True,
    )


def expected_fraction(sheet: Sheet, setting: Setting) -> NDArray[np.float32]:
    """Fraction of the electrons that reach the detector: (n, n) as (y, x).

    The probe visits n by n places of the periodic cell, the first in its corner, a
    little denser than the finest detail that the aperture lets through.
    """
    atoms = atoms_of(sheet, np.random.default_rng([2719, setting.seed]))
    wavelength_nm = abtem.core.energy.energy2wavelength(setting.energy_kv * 1e3) / 10
    nyquist_nm = wavelength_nm / (4e-3 * setting.semiangle_mrad)
    potential = abtem.Potential(
        atoms,
        gpts=_grid_points(wavelength_nm, setting),
        slice_thickness=2,
    )
    waves = abtem.SMatrix(
        potential=potential,
        energy=setting.energy_kv * 1e3,
        semiangle_cutoff=setting.semiangle_mrad,
        interpolation=INTERPOLATION,
    ).build(lazy=False)
    measured = waves.reduce(
        scan=abtem.GridScan(
            start=(0, 0),
            end=(CELL_NM * 10, CELL_NM * 10),
            gpts=math.ceil(CELL_NM / nyquist_nm * 1.03),
            endpoint=False,
        ),
        detectors=abtem.AnnularDetector(*setting.detector_mrad),
        ctf=abtem.CTF(
            energy=setting.energy_kv * 1e3,
            semiangle_cutoff=setting.semiangle_mrad,
            defocus=setting.defocus_nm * 10,
            C12=setting.astigmatism_nm * 10,
            phi12=0.4,
            C21=setting.coma_nm * 10,
            phi21=1.1,
        ),
    )
    return np.asarray(measured.array, np.float32).T


def _grid_points(wavelength_nm: float, setting: Setting) -> int:
    """Of the potential: enough that nothing from one side of the aperture to the other
    side of the detector is cut off (abTEM keeps two thirds of what a grid can hold)."""
    widest_mrad = setting.detector_mrad[1] + setting.semiangle_mrad
    points = 3e-3 * CELL_NM * widest_mrad / wavelength_nm
    return math.ceil(points / INTERPOLATION) * INTERPOLATION


def write(folder: Path, name: str) -> None:
    """Simulate one frame and store it with its atoms."""
    setting = SETTINGS[name]
    sheet, site_nm = cell_sheet(setting)
    np.savez_compressed(
        folder / f"{name}.npz",
        fraction=expected_fraction(sheet, setting),
        xy_nm=sheet.xy_nm,
        site_nm=site_nm,
        species=sheet.species,
        cell_nm=CELL_NM,
        energy_kv=setting.energy_kv,
        semiangle_mrad=setting.semiangle_mrad,
        detector_mrad=setting.detector_mrad,
        source_fwhm_nm=setting.source_fwhm_nm,
    )


def main(folder: Path, names: list[str]) -> None:
    """Make all frames, or those that are named."""
    abtem.config.set({"device": "cpu", "diagnostics.progress_bar": False})
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or SETTINGS:
        write(folder, name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
