"""A drawn sheet with a hole, and an analysis that is right in everything."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.evaluation.comparison import Comparison, compare
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.simulator.sheet import Sheet, honeycomb
from streamer.simulator.truth import Truth, truth_of

PIXEL_NM = 0.02
SHAPE = (300, 300)
FIELD_NM = 6.0

type Columns = dict[str, NDArray[np.generic]]


@pytest.fixture(scope="module")
def truth() -> Truth:
    rng = np.random.default_rng(5)
    xy = honeycomb(9.0, 0.3) + FIELD_NM / 2
    xy = xy[np.hypot(*(xy - [3.0, 3.0]).T) > 1.0]
    xy = xy + rng.normal(0, 0.003, xy.shape)
    sheet = Sheet(xy, np.zeros(len(xy), np.uint8), np.zeros(len(xy), int), FIELD_NM)
    rowcol = xy[:, ::-1] / PIXEL_NM - 0.5
    return truth_of(sheet, rowcol, SHAPE, np.zeros(len(xy), bool))


@pytest.fixture
def columns(truth: Truth) -> Columns:
    count = len(truth)
    made: Columns = {
        name: np.zeros(count, dtype) for name, dtype in FIXED_COLUMNS.items()
    }
    for name in ("row_px", "col_px", "species", "angle_rad", "crystallinity"):
        made[name] = getattr(truth, name).copy()
    made["z1"] = np.zeros(count, np.float32)
    return made


@pytest.fixture
def compared(truth: Truth) -> Callable[[Mapping[str, NDArray[np.generic]]], Comparison]:
    return lambda columns: compare(Atoms.from_columns(columns), truth, SHAPE, PIXEL_NM)
