import math

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.bonds import bonds_of
from inference.summary import nothing, summarise
from streamer.analysis import Summary
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.simulator.sheet import honeycomb

PIXEL_NM = 0.02
SHAPE = (300, 400)  # 6 nm x 8 nm


def atoms_at(xy_nm: NDArray[np.float64], silicon: list[int] | None = None) -> Atoms:
    columns: dict[str, NDArray[np.generic]] = {
        name: np.zeros(len(xy_nm), dtype) for name, dtype in FIXED_COLUMNS.items()
    }
    columns["row_px"] = (xy_nm[:, 1] / PIXEL_NM - 0.5).astype(np.float32)
    columns["col_px"] = (xy_nm[:, 0] / PIXEL_NM - 0.5).astype(np.float32)
    columns["row_net_px"], columns["col_net_px"] = columns["row_px"], columns["col_px"]
    columns["species"][silicon or []] = 1
    columns["crystallinity"] = np.linspace(0, 1, len(xy_nm), dtype=np.float32)
    return Atoms.from_columns(columns)


def summary_of(atoms: Atoms) -> Summary:
    rowcol = np.stack([atoms.row_px, atoms.col_px], axis=1)
    return summarise(atoms, SHAPE, PIXEL_NM, bonds_of(rowcol * PIXEL_NM))


def sheet() -> NDArray[np.float64]:
    xy = honeycomb(9.0, 0.2) + np.array([4.0, 3.0])
    inside = (xy > 0).all(axis=1) & (xy < [8.0, 6.0]).all(axis=1)
    return np.asarray(xy[inside])


def test_a_whole_sheet_in_numbers() -> None:
    summary = summary_of(atoms_at(sheet()))
    assert summary.area_nm2 == pytest.approx(48)
    assert summary.counts == {"C": len(sheet()), "Si": 0}
    assert summary.density_nm2 == pytest.approx(38.2, rel=0.01)
    assert summary.hole_area_nm2 == 0
    assert summary.bond_length_nm == pytest.approx(0.142, abs=1e-4)


@pytest.mark.parametrize("radius_nm", [0.8, 1.5])
def test_a_hole_is_as_large_as_what_lies_away_from_its_rim(radius_nm: float) -> None:
    xy = sheet()
    xy = xy[np.hypot(*(xy - [4.0, 3.0]).T) > radius_nm]
    summary = summary_of(atoms_at(xy))
    rim = np.hypot(*(xy - [4.0, 3.0]).T).min()
    expected = math.pi * (rim - 0.3) ** 2
    assert summary.hole_area_nm2 == pytest.approx(expected, rel=0.35)


def test_a_vacancy_is_no_hole() -> None:
    xy = sheet()
    xy = np.delete(xy, np.hypot(*(xy - [4.0, 3.0]).T).argmin(), axis=0)
    assert summary_of(atoms_at(xy)).hole_area_nm2 == 0


def test_silicon_counts_apart_and_its_bonds_do_not_count() -> None:
    xy = np.array([[1.0, 1.0], [1.142, 1.0], [3.0, 3.0], [3.18, 3.0]])
    summary = summary_of(atoms_at(xy, silicon=[2]))
    assert summary.counts == {"C": 3, "Si": 1}
    assert summary.bond_length_nm == pytest.approx(0.142, abs=1e-4)


def test_order_is_averaged_over_atoms_that_are_seen_whole() -> None:
    atoms = atoms_at(sheet()[:5])
    atoms.edge[:2] = True
    summary = summary_of(atoms)
    assert summary.mean_crystallinity == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("count", "silicon"), [(1, []), (2, [0, 1])], ids=["one C", "only Si"]
)
def test_what_cannot_be_averaged_is_not_a_number(
    count: int, silicon: list[int]
) -> None:
    atoms = atoms_at(sheet()[:count], silicon)
    atoms.edge[:] = True
    summary = summary_of(atoms)
    assert math.isnan(summary.bond_length_nm)
    assert math.isnan(summary.mean_crystallinity)
    assert summary.hole_area_nm2 > 40


def test_a_frame_without_atoms_has_no_density() -> None:
    summary = nothing(SHAPE, PIXEL_NM)
    assert summary.counts == {"C": 0, "Si": 0}
    assert (summary.area_nm2, summary.density_nm2) == (pytest.approx(48), 0)
    assert math.isnan(summary.hole_area_nm2)


@pytest.mark.parametrize(
    ("shape", "pixel_size_nm"), [((300, 400), None), ((0, 400), 0.02)]
)
def test_an_area_that_is_unknown_or_nought_has_no_density(
    shape: tuple[int, int], pixel_size_nm: float | None
) -> None:
    assert math.isnan(nothing(shape, pixel_size_nm).density_nm2)
