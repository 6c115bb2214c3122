"""Simulated sheets as the tests of the analysis expose and compare them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.analysis import Analysis
from streamer.simulator.contamination import settle_blob
from streamer.simulator.damage import Damage, fragment_turns, irradiate
from streamer.simulator.microscope import Microscope
from streamer.simulator.movie import Exposure, expose
from streamer.simulator.sheet import Growth, Sheet, grow_sheet

FIELD_NM = 8.0
SEED = 1000
"""Models are trained and chosen on smaller ones."""
PIXEL_NM = 1 / 64

each_stage = pytest.mark.parametrize("stage", ["early", "late"])
each_pixel_size = pytest.mark.parametrize("pixel_size_nm", [0.01, PIXEL_NM, 0.02, 0.03])


def microscope(pixel_size_nm: float = PIXEL_NM, dose: float = 1.0) -> Microscope:
    """The nominal dose (20 pA for 33.5 s over 16 nm) on a smaller field."""
    side = round(FIELD_NM / pixel_size_nm)
    share = (FIELD_NM / 16) ** 2
    return Microscope((side, side), FIELD_NM, frame_time_s=33.5 * share * dose)


def damaged(seed: int, frames: int) -> tuple[Sheet, Sheet]:
    """A sheet near the start of its movie, and near its end."""
    rng = np.random.default_rng(seed)
    growth = Growth(field_nm=FIELD_NM, silicon_per_nm2=0.5)
    sheet = early = grow_sheet(growth, rng)
    for turns in fragment_turns(Damage(), growth.fragments, frames, rng):
        sheet = irradiate(sheet, Damage(), turns, rng)
    return early, sheet


def exposed(sheet: Sheet, setting: Microscope, clean: bool = False) -> Exposure:
    rng = np.random.default_rng(SEED)
    blobs = [] if clean else [settle_blob(FIELD_NM, 0.8, 5.0, rng)]
    return expose(sheet, blobs, setting, 0, rng)


def rowcol(analysis: Analysis) -> NDArray[np.float64]:
    atoms = analysis.atoms
    return np.stack([atoms.row_px, atoms.col_px], axis=1).astype(np.float64)


def fingerprint(analysis: Analysis) -> dict[str, bytes]:
    columns = analysis.atoms.columns()
    return {name: column.tobytes() for name, column in columns.items()}
