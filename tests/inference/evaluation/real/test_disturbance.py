"""The measuring code of real frames, on drawn ones."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.evaluation.real.added_noise import noise_of, noisier
from inference.evaluation.real.contamination import contaminated
from inference.evaluation.real.disturbed import agreement
from inference.evaluation.real.folder import Labels
from inference.evaluation.real.labelled import labels_found
from inference.evaluation.real.seen import Seen
from inference.evaluation.real.sheet_figures import in_contamination, sheet_figures
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.simulator.sheet import honeycomb

PIXEL_NM = 0.012
SIDE = 400


@dataclass(frozen=True)
class Drawn:
    image: NDArray[np.float32]
    blob: NDArray[np.bool_]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """A sheet of about 20 counts a pixel, with a patch eight times as bright."""
    rows, cols = np.indices((SIDE, SIDE)) * PIXEL_NM
    lattice = 20 * (1 + 0.4 * np.sin(29 * rows) * np.sin(29 * cols))
    blob = np.hypot(rows - 4.8, cols - 2.4) < 1.0
    # No microscope draws an edge sharper than its probe.
    edge = gaussian_filter(blob.astype(float), 0.05 / PIXEL_NM)
    expected = lattice + edge * (160 - lattice)
    counts = np.random.default_rng(1).poisson(expected)
    return Drawn(counts.astype(np.float32), blob)


def seen(
    rowcol: NDArray[np.float64],
    hidden: NDArray[np.bool_] | None = None,
    silicon: tuple[int, ...] = (),
) -> Seen:
    columns = {
        name: np.zeros(len(rowcol), dtype) for name, dtype in FIXED_COLUMNS.items()
    }
    columns["row_px"], columns["col_px"] = rowcol.astype(np.float32).T
    columns["row_net_px"], columns["col_net_px"] = rowcol.astype(np.float32).T
    columns["species"][list(silicon)] = 1
    mask = np.zeros((SIDE, SIDE), bool) if hidden is None else hidden
    return Seen(Atoms.from_columns(columns), PIXEL_NM, mask, ())


def sheet() -> NDArray[np.float64]:
    """(N, 2): sites of a perfect lattice in the frame, pixels."""
    sites = (honeycomb(6.0, 0.3) + 2.4) / PIXEL_NM - 0.5
    return sites[((sites > -0.5) & (sites < SIDE - 0.5)).all(axis=1)]


@pytest.mark.parametrize("scale", [1.0, 1 / 255])
def test_noise_is_that_of_the_counts_whatever_their_scale(
    drawn: Drawn, scale: float
) -> None:
    noise = noise_of(drawn.image * np.float32(scale), PIXEL_NM)
    levels = np.array([15, 25, 160], np.float32) * np.float32(scale)
    expected = np.array([15, 25, 160]) * scale**2
    np.testing.assert_allclose(noise.variance(levels), expected, rtol=0.15)


@pytest.mark.parametrize("factor", [1.0, 2.0, 3.0])
def test_noise_becomes_as_many_times_what_it_was(drawn: Drawn, factor: float) -> None:
    rng = np.random.default_rng(2)
    worse = noise_of(noisier(drawn.image, PIXEL_NM, factor, rng), PIXEL_NM)
    level = np.array([20], np.float32)
    before = noise_of(drawn.image, PIXEL_NM).variance(level)
    assert np.sqrt(worse.variance(level) / before) == pytest.approx(factor, rel=0.06)


def test_contamination_ends_where_it_ends(drawn: Drawn) -> None:
    found = contaminated(drawn.image, PIXEL_NM)
    assert (found ^ drawn.blob).sum() < 0.05 * drawn.blob.sum()


def test_a_clean_sheet_with_si_has_no_contamination() -> None:
    rows, cols = np.indices((SIDE, SIDE)) * PIXEL_NM
    image = 20 * (1 + 0.4 * np.sin(29 * rows) * np.sin(29 * cols))
    for row, col in ((2.0, 2.0), (2.2, 2.1), (2.0, 2.3)):
        spot = np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / (2 * 0.05**2))
        image += 100 * spot
    counts = np.random.default_rng(1).poisson(image).astype(np.float32)
    assert not contaminated(counts, PIXEL_NM).any()


def test_a_perfect_sheet_has_the_numbers_of_graphene() -> None:
    figures = sheet_figures([seen(sheet())])
    assert figures.density_nm2 == pytest.approx(38.2, rel=0.01)
    assert figures.inner_density_nm2 == pytest.approx(38.2, rel=0.01)
    for distance in (
        figures.nearest_nm,
        figures.bond_nm,
        figures.nearest_net_nm,
        figures.bond_net_nm,
    ):
        assert distance == pytest.approx(0.142, rel=1e-3)


def test_contamination_is_left_out_of_the_density(drawn: Drawn) -> None:
    atoms = sheet()
    row, col = np.rint(atoms).astype(int).clip(0, SIDE - 1).T
    empty = atoms[~drawn.blob[row, col]]
    clean = sheet_figures([seen(empty, drawn.blob)])
    assert clean.density_nm2 == pytest.approx(38.2, rel=0.02)
    assert in_contamination([seen(empty, drawn.blob)]).atoms_nm2 == 0
    full = in_contamination([seen(atoms, drawn.blob)])
    assert full.area_nm2 == pytest.approx(np.pi / 2, rel=0.02)
    assert full.atoms_nm2 == pytest.approx(38.2, rel=0.1)


def test_agreement_counts_what_is_lost_and_what_is_made_up() -> None:
    atoms = sheet()
    inner = np.flatnonzero((np.abs(atoms - SIDE / 2) < 150).all(axis=1))
    whole, fewer = seen(atoms), seen(np.delete(atoms, inner[:30], axis=0))
    lost, gained = agreement(fewer, whole), agreement(whole, fewer)
    assert lost.recall.of - lost.recall.hits == 30
    assert lost.precision.share == 1
    assert gained.precision.of - gained.precision.hits == 30
    assert gained.recall.share == 1


def test_an_atom_is_the_same_wherever_it_was_measured(seen_elsewhere: Seen) -> None:
    before = seen(sheet())
    after = agreement(seen_elsewhere, before)
    assert after.recall.share == after.precision.share == 1
    assert after.measured_recall.share < 0.8


@pytest.fixture
def seen_elsewhere() -> Seen:
    """All atoms where they are, and each measured most of a bond away."""
    there = seen(sheet())
    columns = dict(there.atoms.columns())
    columns["row_px"] = columns["row_px"] + np.float32(0.1 / PIXEL_NM)
    return replace(there, atoms=Atoms.from_columns(columns))


def test_labels_are_found_near_and_of_the_right_kind() -> None:
    near, far = 0.049 / PIXEL_NM, 0.051 / PIXEL_NM
    atoms = np.array([[50.0, 50 + near], [100, 100 + far], [200, 200], [300, 300]])
    silicon = np.array([[50.0, 50], [100, 100]])
    found = labels_found(
        [seen(atoms, silicon=(0, 1))], (Labels(silicon, np.array([[200.0, 201.0]])),)
    )
    assert (found.silicon.hits, found.silicon.of) == (1, 2)
    assert found.silicon_median_pm == pytest.approx(49, abs=0.1)
    assert found.silicon_false == 1
    assert found.right_count.share == 1
    assert found.carbon.share == 1
