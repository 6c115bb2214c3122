import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.simulator.microscope import (
    Microscope,
    Probe,
    Scan,
    detect,
    expected_counts,
    row_jitter,
    scanned_positions,
)
from streamer.simulator.movie import background_counts
from streamer.simulator.sheet import CARBON, SILICON, honeycomb

STILL = Scan(jitter_px=0.0, wobble_nm=0.0)
SMALL = Microscope(shape=(96, 96), field_nm=1.5, frame_time_s=0.3, scan=STILL)


def picture(
    microscope: Microscope,
    rowcol: tuple[float, float],
    weight: float = 1.0,
    shift_px: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    shift = np.zeros(microscope.shape[0]) if shift_px is None else shift_px
    image = expected_counts(np.array([rowcol]), np.array([weight]), microscope, shift)
    return image.astype(np.float64)


def centroid(image: NDArray[np.float64]) -> tuple[float, float]:
    row, col = np.indices(image.shape)
    return (
        float((row * image).sum() / image.sum()),
        float((col * image).sum() / image.sum()),
    )


def test_defaults_are_those_of_the_papers_movie() -> None:
    microscope = Microscope()
    assert microscope.pixel_size_nm == 0.015625
    assert microscope.dwell_time_us == pytest.approx(31.95, abs=0.01)
    assert microscope.dose_e_nm2 == pytest.approx(1.6336e7, rel=1e-3)
    assert microscope.counts_per_carbon == pytest.approx(65.3, abs=0.1)


@pytest.mark.parametrize(
    ("change", "ratio"),
    [
        ({"shape": (2048, 2048)}, 1),
        ({"shape": (512, 1024)}, 2),
        ({"field_nm": 8.0}, 4),
        ({"current_pa": 40.0}, 2),
        ({"frame_time_s": 3.35}, 0.1),
    ],
)
def test_dose_is_charge_over_area(change: dict[str, object], ratio: float) -> None:
    changed = replace(Microscope(), **change)
    assert changed.dose_e_nm2 == pytest.approx(Microscope().dose_e_nm2 * ratio)
    assert changed.counts_per_carbon / Microscope().counts_per_carbon == pytest.approx(
        ratio
    )


@pytest.mark.parametrize(
    "probe",
    [
        Probe(),
        Probe(tail_fraction=0.0),
        Probe(tail_fraction=1.0),
        Probe(fwhm_nm=0.075, tail_fraction=0.35, tail_sigma_nm=0.2),
        Probe(fwhm_nm=0.16, astigmatism=0.1),
    ],
    ids=["default", "no tail", "all tail", "sharp, strong tail", "wide, astigmatic"],
)
@pytest.mark.parametrize("side", [48, 96, 150])
def test_one_carbon_adds_its_counts_wherever_it_lies(side: int, probe: Probe) -> None:
    microscope = replace(SMALL, shape=(side, side), probe=probe)
    for where in ((side / 2, side / 2), (side / 2 + 0.37, side / 2 - 0.21)):
        total = picture(microscope, where).sum()
        assert total == pytest.approx(microscope.counts_per_carbon, rel=2e-3)


def test_half_of_an_atom_on_the_border_is_seen() -> None:
    total = picture(SMALL, (40.0, -0.5)).sum()
    assert total == pytest.approx(SMALL.counts_per_carbon / 2, rel=0.01)


def test_an_atom_beyond_the_frame_still_reaches_into_it() -> None:
    assert picture(SMALL, (40.0, -4.0)).sum() > 0.01 * SMALL.counts_per_carbon
    assert picture(SMALL, (40.0, -200.0)).sum() == 0


def test_no_atoms_give_no_counts() -> None:
    image = expected_counts(np.empty((0, 2)), np.empty(0), SMALL, np.zeros(96))
    assert image.shape == (96, 96)
    assert image.dtype == np.float32
    assert not image.any()


def test_silicon_is_brighter_by_its_atomic_number() -> None:
    weights = SMALL.weights(np.array([CARBON, SILICON], np.uint8))
    np.testing.assert_allclose(weights, [1, (14 / 6) ** 1.7])
    carbon, silicon = (picture(SMALL, (40, 40), weight) for weight in weights)
    np.testing.assert_allclose(silicon, 4.22 * carbon, rtol=0.003)


@pytest.mark.parametrize("tail", [0.0, 0.15])
@pytest.mark.parametrize(
    "where", [(48.0, 48.0), (47.5, 48.5), (48.13, 47.71), (47.9, 48.49)]
)
def test_an_atom_is_drawn_where_it_is(where: tuple[float, float], tail: float) -> None:
    microscope = replace(SMALL, probe=Probe(tail_fraction=tail))
    assert centroid(picture(microscope, where)) == pytest.approx(where, abs=2e-3)


def test_a_core_is_as_wide_as_the_probe() -> None:
    microscope = replace(SMALL, probe=Probe(fwhm_nm=0.125, tail_fraction=0.0))
    line = picture(microscope, (48, 48))[48]
    half_px = 0.125 / 2 / microscope.pixel_size_nm  # 4 pixels
    assert line[48 + round(half_px)] / line[48] == pytest.approx(0.5, rel=1e-3)


def test_astigmatism_widens_along_x() -> None:
    probe = Probe(tail_fraction=0.0, astigmatism=0.1)
    image = picture(replace(SMALL, probe=probe), (48, 48))
    row, col = np.indices(image.shape) - 48
    wide = math.sqrt((col**2 * image).sum() / (row**2 * image).sum())
    assert wide == pytest.approx(1.1 / 0.9, rel=5e-3)


def test_where_the_probe_is_off_to_the_right_the_picture_is_off_to_the_left() -> None:
    microscope = replace(SMALL, probe=Probe(tail_fraction=0.0))
    shift = np.linspace(-1, 1, 96)
    image = picture(microscope, (48.0, 48.0), shift_px=shift)
    for row in (40, 48, 55):
        col = (np.arange(96) * image[row]).sum() / image[row].sum()
        assert col == pytest.approx(48 - shift[row], abs=0.01)


def test_jitter_scatters_atoms_and_biases_none() -> None:
    rng = np.random.default_rng(1)
    scan = Scan(jitter_px=0.5)
    microscope = replace(SMALL, probe=Probe(tail_fraction=0.0))
    found = [
        centroid(picture(microscope, (47.8, 48.3), shift_px=row_jitter(scan, 96, rng)))
        for _ in range(200)
    ]
    row, col = np.transpose(found)
    np.testing.assert_allclose(row, 47.8, atol=0.01)
    assert 0.05 < col.std() < 0.5  # several rows share an atom, and remember
    assert col.mean() == pytest.approx(48.3, abs=4 * col.std() / math.sqrt(200))


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_jitter_has_the_spread_and_the_memory_asked_for(memory: float) -> None:
    scan = Scan(jitter_px=0.3, jitter_memory=memory)
    shift = row_jitter(scan, 40_000, np.random.default_rng(1))
    assert shift.std() == pytest.approx(0.3, rel=0.05)
    assert np.corrcoef(shift[1:], shift[:-1])[0, 1] == pytest.approx(memory, abs=0.02)


def test_a_still_probe_does_not_jitter() -> None:
    assert not row_jitter(STILL, 10, np.random.default_rng(1)).any()


@pytest.mark.parametrize(
    ("scan", "xy_nm", "rowcol_px"),
    [
        (STILL, (0.0, 0.0), (-0.5, -0.5)),
        (STILL, (1.5, 1.5), (95.5, 95.5)),
        (STILL, (0.75, 0.375), (23.5, 47.5)),
        (replace(STILL, drift_nm=(0.1, 0.0)), (0.5, 0.0), (-0.5, 31.5)),
        (replace(STILL, drift_nm=(0.125, 0.0)), (0.5, 1.5), (95.5, 39.5)),
        (replace(STILL, drift_nm=(0.0, -0.25)), (0.5, 0.75), (39.5, 31.5)),
        (replace(STILL, wobble_nm=0.0625), (0.5, 0.125), (7.5, 35.5)),
        (replace(STILL, wobble_nm=0.0625), (0.5, 0.25), (15.5, 31.5)),
        (replace(STILL, flyback_nm=0.0625), (0.0, 0.0), (-0.5, -4.5)),
        (replace(STILL, flyback_nm=0.0625), (1.5, 0.0), (-0.5, 95.5)),
    ],
    ids=[
        "corner", "far corner", "inside", "no drift in the first row",
        "all drift in the last", "drift along y", "a quarter of a sway",
        "half of a sway", "fly-back at the border", "no fly-back far from it",
    ],
)  # fmt: skip
def test_an_atom_appears_where_the_scan_puts_it(
    scan: Scan, xy_nm: tuple[float, float], rowcol_px: tuple[float, float]
) -> None:
    where = scanned_positions(np.array([xy_nm]), replace(SMALL, scan=scan), 0.0)
    np.testing.assert_allclose(where, [rowcol_px], atol=1e-6)


def test_drift_is_done_by_the_last_row_of_a_flat_frame() -> None:
    scan = replace(STILL, drift_nm=(0.125, 0.0))
    flat = replace(SMALL, shape=(48, 96), scan=scan)
    where = scanned_positions(np.array([[0.5, 0.75]]), flat, 0.0)
    np.testing.assert_allclose(where, [[47.5, 39.5]], atol=1e-6)


@pytest.mark.parametrize("flyback_nm", [0.02, 0.15])
def test_fly_back_stretches_the_left_border_and_folds_nothing(
    flyback_nm: float,
) -> None:
    microscope = replace(SMALL, scan=replace(STILL, flyback_nm=flyback_nm))
    x = np.linspace(0, 1.5, 200)
    col = scanned_positions(np.stack([x, x], axis=1), microscope, 0.0)[:, 1]
    spacing = np.diff(col) / (np.diff(x) / microscope.pixel_size_nm)
    assert (np.diff(spacing) < 1e-9).all()
    assert spacing[0] > 1.3
    assert spacing[-1] == pytest.approx(1)


def test_a_whole_sheet_is_as_bright_as_its_atoms() -> None:
    sites = honeycomb(4.0, 0.3) + 0.75
    rowcol = scanned_positions(sites, SMALL, 0.0)
    image = expected_counts(rowcol, np.ones(len(sites)), SMALL, np.zeros(96))
    in_pixel = 38.2 * SMALL.pixel_size_nm**2 * SMALL.counts_per_carbon
    assert image[8:-8, 8:-8].mean() == pytest.approx(in_pixel, rel=0.02)
    assert background_counts(SMALL) == pytest.approx(0.03 * in_pixel)


@pytest.mark.parametrize("level", [0.02, 1.4, 30.0])
def test_vacuum_scatters_as_counts_and_read_noise_do(level: float) -> None:
    microscope = replace(SMALL, read_noise=0.1)
    expected = np.full((400, 400), level, np.float32)
    counts = detect(expected, microscope, np.random.default_rng(1))
    variance = level + 0.1**2
    assert counts.mean() == pytest.approx(level, abs=4 * math.sqrt(variance) / 400)
    assert counts.var() == pytest.approx(variance, rel=0.05)
    assert counts.dtype == np.float32


def test_a_detector_without_read_noise_counts_whole_electrons() -> None:
    expected = np.full((50, 50), 2.0, np.float32)
    quiet = replace(SMALL, read_noise=0.0)
    counts = detect(expected, quiet, np.random.default_rng(1))
    np.testing.assert_array_equal(counts, np.rint(counts))


def test_a_lattice_scatters_by_the_square_root_of_its_counts() -> None:
    sites = honeycomb(4.0, 0.3) + 0.75
    rowcol = scanned_positions(sites, SMALL, 0.0)
    expected = expected_counts(rowcol, np.ones(len(sites)), SMALL, np.zeros(96))
    rng = np.random.default_rng(1)
    frames = np.stack([detect(expected, SMALL, rng) for _ in range(100)])
    pull = (frames - expected) / np.sqrt(expected + SMALL.read_noise**2)
    assert pull.mean() == pytest.approx(0, abs=0.01)
    assert pull.std() == pytest.approx(1, abs=0.01)
