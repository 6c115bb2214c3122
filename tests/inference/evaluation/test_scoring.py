import math
from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.evaluation.scoring import Score, score
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.simulator.sheet import Sheet, honeycomb
from streamer.simulator.truth import Truth, truth_of

PIXEL_NM = 0.02
SHAPE = (200, 250)  # 4 nm x 5 nm
HOLE_NM = 1.2


def truth(hidden_left_of_nm: float = 0.0, silicon: int = 20) -> Truth:
    xy = honeycomb(9.0, 0.3) + np.array([2.5, 2.0])
    xy = xy[np.hypot(*(xy - [2.5, 2.0]).T) > HOLE_NM]
    species = np.zeros(len(xy), np.uint8)
    inside = ((xy > 0.2) & (xy < [4.8, 3.8])).all(axis=1)
    species[np.flatnonzero(inside)[::7][:silicon]] = 1
    sheet = Sheet(xy, species, np.zeros(len(xy), np.int64), 5.0)
    rowcol = xy[:, ::-1] / PIXEL_NM - 0.5
    return truth_of(sheet, rowcol, SHAPE, xy[:, 0] < hidden_left_of_nm)


def perfect(true: Truth) -> dict[str, NDArray[np.generic]]:
    """The columns of an analysis that is right in everything."""
    columns: dict[str, NDArray[np.generic]] = {
        name: np.zeros(len(true), dtype) for name, dtype in FIXED_COLUMNS.items()
    }
    for name in ("row_px", "col_px", "species", "angle_rad", "crystallinity"):
        columns[name] = getattr(true, name).copy()
    return columns


def marks(columns: dict[str, NDArray[np.generic]], true: Truth) -> Score:
    return score(Atoms.from_columns(columns), true, SHAPE, PIXEL_NM)


def test_the_truth_itself_scores_full_marks() -> None:
    true = truth()
    assert marks(perfect(true), true) == Score(
        precision=1,
        recall=1,
        f1=pytest.approx(1),
        edge_recall=1,
        rmsd_pm=0,
        silicon_precision=1,
        silicon_recall=1,
        vacuum_nm2=0,
        angle_bulk_deg=0,
        angle_deg=0,
        order_rho=pytest.approx(1),
    )


def test_atoms_that_are_missed_cost_recall() -> None:
    true = truth()
    kept = {name: column[::2] for name, column in perfect(true).items()}
    result = marks(kept, true)
    assert result.precision == 1
    assert result.recall == pytest.approx(0.5, abs=0.03)
    assert result.f1 == pytest.approx(2 / 3, abs=0.03)


def test_atoms_that_are_made_up_cost_precision_and_show_in_vacuum() -> None:
    true = truth()
    columns = perfect(true)
    made_up = {name: column[:10].copy() for name, column in columns.items()}
    turn = np.arange(10) * 0.6
    made_up["row_px"] = (100 + 30 * np.sin(turn)).astype(np.float32)
    made_up["col_px"] = (125 + 30 * np.cos(turn)).astype(np.float32)
    columns = {name: np.append(columns[name], made_up[name]) for name in columns}
    result = marks(columns, true)
    assert result.recall == 1
    assert result.precision == pytest.approx(1 - 10 / len(columns["row_px"]), abs=3e-3)
    vacuum_nm2 = math.pi * (HOLE_NM - 0.25) ** 2
    assert result.vacuum_nm2 == pytest.approx(10 / vacuum_nm2, rel=0.15)


def test_a_shift_of_all_atoms_is_their_error() -> None:
    true = truth()
    columns = perfect(true)
    columns["row_px"] += np.float32(0.3)
    columns["col_px"] -= np.float32(0.4)
    assert marks(columns, true).rmsd_pm == pytest.approx(0.5 * PIXEL_NM * 1e3, rel=1e-3)


def test_an_atom_at_the_border_does_not_count() -> None:
    true = truth()
    columns = perfect(true)
    border = (columns["row_px"] < 3) | (columns["col_px"] < 3)
    assert border.sum() > 10
    kept = {name: column[~border] for name, column in columns.items()}
    assert marks(kept, true).recall == 1


def test_what_lies_under_contamination_is_neither_right_nor_wrong() -> None:
    true = truth(hidden_left_of_nm=1.0)
    all_found = marks(perfect(true), true)
    none_found = marks(
        {name: column[~true.hidden] for name, column in perfect(true).items()}, true
    )
    for result in (all_found, none_found):
        assert (result.precision, result.recall) == (1, 1)


def test_a_visible_atom_beside_contamination_counts() -> None:
    true = truth(hidden_left_of_nm=1.0, silicon=0)
    columns = perfect(true)
    beside = ~true.hidden & (true.col_px * PIXEL_NM < 1.1) & (true.row_px > 20)
    columns["species"][np.flatnonzero(beside)[0]] = 1
    assert marks(columns, true).silicon_precision == 0


def test_species_are_marked_apart() -> None:
    true = truth(silicon=20)
    columns = perfect(true)
    silicon = np.flatnonzero(true.species == 1)
    carbon = np.flatnonzero(true.species == 0)
    inner = carbon[(np.abs(true.row_px[carbon] - 100) < 80)][:5]
    columns["species"][silicon[:4]] = 0
    columns["species"][inner] = 1
    result = marks(columns, true)
    assert result.silicon_recall == pytest.approx(16 / 20)
    assert result.silicon_precision == pytest.approx(16 / 21, abs=0.02)


@pytest.mark.parametrize("turn_deg", [0.0, 3.0, -5.0, 123.0, 60.0])
def test_orientation_is_compared_modulo_120_degrees(turn_deg: float) -> None:
    true = truth()
    columns = perfect(true)
    columns["angle_rad"] += np.float32(math.radians(turn_deg))
    expected = abs(turn_deg - 120 * round(turn_deg / 120))
    result = marks(columns, true)
    assert result.angle_deg == pytest.approx(expected, abs=1e-3)
    assert result.angle_bulk_deg == pytest.approx(expected, abs=1e-3)


def test_angles_that_are_unknown_or_at_the_edge_do_not_count() -> None:
    true = truth()
    columns = perfect(true)
    columns["angle_rad"][::3] = np.nan
    columns["angle_rad"][1::3] += np.float32(0.5)
    columns["edge"][1::3] = True
    assert marks(columns, true).angle_deg == 0


def test_order_counts_by_its_ranks() -> None:
    true = truth()
    columns = perfect(true)
    columns["crystallinity"] = np.exp(5 * columns["crystallinity"])
    assert marks(columns, true).order_rho == pytest.approx(1, abs=1e-3)
    columns["crystallinity"] *= -1
    assert marks(columns, true).order_rho == pytest.approx(-1, abs=1e-3)


def test_nothing_found_is_no_precision_and_no_recall() -> None:
    true = truth()
    nothing = {name: column[:0] for name, column in perfect(true).items()}
    result = marks(nothing, true)
    assert result.recall == 0
    unknown = {
        field.name
        for field in fields(result)
        if math.isnan(getattr(result, field.name))
    }
    assert {"precision", "rmsd_pm", "silicon_precision", "order_rho"} <= unknown
