"""Frames of a real microscope, which are not part of the project."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.matching import match
from streamer.analysis import Analysis
from streamer.atoms import SPECIES
from streamer.frame import Frame

REACH_NM = 0.15

type Series = tuple[list[Analysis], list[NDArray[np.float64]]]


def labelled_silicon(entry: Mapping[str, object]) -> NDArray[np.float64]:
    """(N, 2): (row, col) of the Si that were labelled in one frame."""
    defects = entry["defects"]
    assert isinstance(defects, list)
    where = [(y, x) for defect in defects for x, y, name in defect if name == "Si"]
    return np.array(where, np.float64).reshape(-1, 2)


@pytest.fixture(
    scope="module",
    params=[("Si3C6_7-77", 0.0077), ("Si1C4_53-64", 0.01179)],
    ids=["Si3C6", "Si1C4"],
)
def series(
    request: pytest.FixtureRequest,
    real_data: Path,
    analyser: Analyser,
    make_frame: Callable[..., Frame],
) -> Series:
    name, pixel_size_nm = request.param
    frames = np.load(real_data / "series" / f"{name}.npy", mmap_mode="r")
    labels = json.loads((real_data / "series" / f"{name}.json").read_text())
    analyses = [
        analyser.analyse(
            make_frame(np.ascontiguousarray(image), pixel_size_nm=pixel_size_nm),
            History(),
        )
        for image in frames
    ]
    return analyses, [labelled_silicon(entry) for entry in labels]


def test_every_frame_is_graphene(series: Series) -> None:
    analyses, _ = series
    bonds = [analysis.summary.bond_length_nm for analysis in analyses]
    densities = [analysis.summary.density_nm2 for analysis in analyses]
    assert np.median(bonds) == pytest.approx(0.142, rel=0.05)
    assert np.median(densities) == pytest.approx(38.2, rel=0.08)
    assert not any(analysis.flags for analysis in analyses)


def test_labelled_silicon_is_found(series: Series) -> None:
    found = total = 0
    for analysis, labelled in zip(*series, strict=True):
        atoms = analysis.atoms
        silicon = atoms.species == SPECIES.index("Si")
        where = np.stack([atoms.row_px, atoms.col_px], axis=1)[silicon]
        assert analysis.pixel_size_nm is not None
        pairs = match(where, labelled, REACH_NM / analysis.pixel_size_nm)
        found += len(pairs.true)
        total += len(labelled)
    assert total > 5
    assert found / total >= 0.9


def test_no_other_atom_is_taken_for_silicon(series: Series) -> None:
    analyses, labels = series
    found = sum(analysis.summary.counts["Si"] for analysis in analyses)
    assert found <= 1.1 * sum(len(labelled) for labelled in labels)
