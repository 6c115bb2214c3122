"""Frames of any type and shape, partial, damaged, disturbed."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.matching import match
from streamer.analysis import Analysis, Flag
from streamer.frame import DTYPES, Completeness, Frame
from streamer.simulator.sheet import Sheet, honeycomb
from tests.inference.exposing import PIXEL_NM, exposed, fingerprint, microscope, rowcol

type MakeFrame = Callable[..., Frame]


@pytest.mark.parametrize("dtype", sorted(DTYPES, key=str), ids=str)
def test_the_same_numbers_in_any_type_give_the_same_bytes(
    analyse: Callable[..., Analysis],
    pristine: NDArray[np.float32],
    dtype: np.dtype[np.generic],
) -> None:
    counts = np.rint(pristine[:200, :180] * 8).clip(0, 127)
    expected = analyse(counts.astype(np.float32))
    assert len(expected.atoms) > 200
    found = analyse(counts.astype(dtype))
    assert fingerprint(found) == fingerprint(expected)
    assert found.flags == ()


@pytest.mark.parametrize("how", [Completeness.PARTIAL, Completeness.ABORTED])
def test_rows_of_the_frame_before_never_matter(
    analyse: Callable[..., Analysis],
    pristine: NDArray[np.float32],
    how: Completeness,
) -> None:
    cut = analyse(pristine[:203])
    for rest in (pristine[:309], np.full((309, 512), np.nan, np.float32)):
        image = np.concatenate([pristine[:203], rest])
        found = analyse(image, completeness=how, valid_rows=203)
        assert found.flags == (Flag.PARTIAL,)
        assert fingerprint(found) == fingerprint(cut)
        assert found.summary == cut.summary
        assert found.shape == (512, 512)
        assert found.atoms.row_px.max() < 202.5


@pytest.mark.parametrize(
    "shape",
    [(64, 64), (65, 67), (64, 512), (333, 71), (129, 255), (300, 1000)],
    ids=lambda shape: f"{shape[0]}x{shape[1]}",
)
def test_any_shape_is_analysed_to_its_borders(
    analyse: Callable[..., Analysis], shape: tuple[int, int]
) -> None:
    field_nm = max(shape) * PIXEL_NM
    setting = replace(
        microscope(),
        shape=shape,
        field_nm=field_nm,
        frame_time_s=33.5 * math.prod(shape) / 1024**2,
    )
    sites = honeycomb(field_nm + 2, 0.3) + field_nm / 2
    none = np.zeros(len(sites), np.int64)
    sheet = Sheet(sites, none.astype(np.uint8), none, field_nm)
    exposure = exposed(sheet, setting, clean=True)
    found = analyse(exposure.image)
    rows, cols = shape
    where = rowcol(found)
    assert ((where >= -0.5) & (where <= [rows - 0.5, cols - 0.5])).all()
    truth = exposure.truth
    true = np.stack([truth.row_px, truth.col_px], axis=1)
    inner = ((true > 3) & (true < [rows - 4, cols - 4])).all(axis=1)
    pairs = match(where, true, 4.0)
    assert np.isin(np.flatnonzero(inner), pairs.true).mean() > 0.97
    assert len(where) < 1.1 * len(true)
    to_border = np.minimum(where, [rows - 1, cols - 1] - where).min(axis=1) * PIXEL_NM
    assert found.atoms.edge[to_border < 0.5].all()
    assert not found.atoms.edge[to_border > 0.75].any()
    assert found.summary.area_nm2 == pytest.approx(math.prod(shape) * PIXEL_NM**2)


@pytest.mark.parametrize(
    ("spoil", "flags"),
    [
        (np.zeros_like, {Flag.CONSTANT, Flag.NO_ATOMS}),
        (lambda image: np.full_like(image, 65535), {Flag.CONSTANT, Flag.NO_ATOMS}),
        (
            lambda image: np.full_like(image, np.nan),
            {Flag.NOT_FINITE, Flag.CONSTANT, Flag.NO_ATOMS},
        ),
        (
            lambda image: np.full_like(image, -np.inf),
            {Flag.NOT_FINITE, Flag.CONSTANT, Flag.NO_ATOMS},
        ),
        (
            lambda image: image[:, :12].copy(),
            {Flag.TOO_SMALL, Flag.NO_ATOMS},
        ),
        (lambda image: image[:1, :1].copy(), {Flag.CONSTANT, Flag.NO_ATOMS}),
    ],
    ids=["black", "saturated", "NaN", "-inf", "a strip", "one pixel"],
)
def test_a_frame_without_atoms_says_why(
    analyse: Callable[..., Analysis],
    pristine: NDArray[np.float32],
    spoil: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    flags: set[Flag],
) -> None:
    found = analyse(spoil(pristine))
    assert set(found.flags) == flags
    assert len(found.atoms) == 0
    assert list(found.atoms.latents) == list(found.model.latents)
    assert found.summary.counts == {"C": 0, "Si": 0}


@pytest.mark.parametrize("dtype", sorted(DTYPES, key=str), ids=str)
@pytest.mark.parametrize("value", [0, 1, None], ids=["0", "1", "highest"])
def test_a_constant_frame_says_so_in_any_type(
    analyse: Callable[..., Analysis], dtype: np.dtype[np.generic], value: int | None
) -> None:
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    filled = np.full((80, 90), limits.max if value is None else value, dtype)
    found = analyse(filled)
    # What a double can hold and a single cannot is as good as infinite.
    assert set(found.flags) - {Flag.NOT_FINITE} == {Flag.CONSTANT, Flag.NO_ATOMS}
    assert len(found.atoms) == 0
    assert found.preview.image.shape == (80, 90)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_pixels_that_are_not_a_number_leave_the_others_as_they_are(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32], dtype: str
) -> None:
    image = pristine[:200, :180].astype(dtype)
    image[:40] = np.nan
    found, expected = analyse(image), analyse(pristine[:200, :180])
    assert found.flags == (Flag.NOT_FINITE,)
    clear = rowcol(expected)[:, 0] > 56
    pairs = match(rowcol(found), rowcol(expected)[clear], 2.0)
    assert len(pairs.true) > 0.97 * clear.sum()
    assert (rowcol(found)[:, 0] > 30).all()


def test_a_frame_of_which_nothing_was_scanned_says_so(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32]
) -> None:
    found = analyse(pristine, completeness=Completeness.PARTIAL, valid_rows=0)
    assert {Flag.PARTIAL, Flag.NO_ATOMS} <= set(found.flags)
    assert math.isnan(found.summary.density_nm2)


@pytest.mark.parametrize("frames_own", [None, 0.5])
def test_the_users_pixel_size_stands_in_for_the_frames_own(
    analyser: Analyser,
    make_frame: MakeFrame,
    pristine: NDArray[np.float32],
    frames_own: float | None,
) -> None:
    told = Analyser(analyser.model, pixel_size_nm=PIXEL_NM)
    expected = analyser.analyse(make_frame(pristine), History())
    found = told.analyse(make_frame(pristine, pixel_size_nm=frames_own), History())
    assert found.pixel_size_nm == PIXEL_NM
    assert fingerprint(found) == fingerprint(expected)


@pytest.mark.parametrize("pixel_size_nm", [1e-12, 1e-3, 0.15625, 15.6, 1e9])
def test_a_pixel_size_in_the_wrong_unit_does_no_harm(
    analyse: Callable[..., Analysis],
    pristine: NDArray[np.float32],
    pixel_size_nm: float,
) -> None:
    found = analyse(pristine, pixel_size_nm=pixel_size_nm)
    assert Flag.PIXEL_SIZE_DOUBTFUL in found.flags
    assert set(found.flags) & {Flag.TOO_SMALL, Flag.NO_ATOMS, Flag.TOO_NOISY}
    assert len(found.atoms) < 100


def test_positions_in_nanometres_start_at_the_frames_origin(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32]
) -> None:
    atoms = analyse(pristine, origin_nm=(100.0, -20.0)).atoms
    np.testing.assert_allclose(atoms.x_nm, 100 + atoms.col_px * PIXEL_NM, atol=1e-4)
    np.testing.assert_allclose(atoms.y_nm, -20 + atoms.row_px * PIXEL_NM, atol=1e-4)


@pytest.mark.parametrize("value", [1e6, -1e6, np.nan, np.inf, 1e300], ids=str)
def test_hot_and_dead_pixels_hardly_matter(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32], value: float
) -> None:
    image = pristine.astype(np.float64)
    row, col = np.random.default_rng(1).integers(0, 512, (2, 30))
    image[row, col] = value
    found, expected = analyse(image), analyse(pristine)
    pairs = match(rowcol(found), rowcol(expected), 2.0)
    assert len(pairs.found) > 0.98 * len(expected.atoms)
    assert len(found.atoms) < 1.02 * len(expected.atoms)
    assert (Flag.NOT_FINITE in found.flags) == (not abs(value) < 1e38)


@pytest.mark.parametrize("offset", [-50.0, 1000.0])
def test_neither_offset_nor_gain_of_the_detector_matters(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32], offset: float
) -> None:
    found = analyse((pristine.astype(np.float64) + offset) * 7)
    expected = analyse(pristine)
    pairs = match(rowcol(found), rowcol(expected), 1.0)
    assert len(pairs.found) > 0.995 * len(expected.atoms)


@pytest.mark.parametrize("times", [5, 500])
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_bright_patch_hides_only_what_it_covers(
    analyse: Callable[..., Analysis],
    pristine: NDArray[np.float32],
    share: float,
    times: float,
) -> None:
    image = pristine.copy()
    rows = round(512 * share)
    haze = np.random.default_rng(1).poisson(10, (rows, 512))
    image[:rows] = times * (image[:rows] + haze)
    found, expected = analyse(image), analyse(pristine)
    clear = rowcol(expected)[:, 0] > rows + 16
    pairs = match(rowcol(found), rowcol(expected)[clear], 4.0)
    assert len(pairs.true) > 0.97 * clear.sum()


@pytest.mark.parametrize("value", [0, 65535, np.nan], ids=str)
def test_rows_of_a_dropped_scan_are_flagged_and_not_analysed(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32], value: float
) -> None:
    image = pristine.copy()
    image[300:] = value
    found, cut = analyse(image), analyse(pristine[:300])
    assert set(found.flags) - {Flag.NOT_FINITE} == {Flag.CONSTANT_ROWS}
    assert fingerprint(found) == fingerprint(cut)
    assert found.summary == cut.summary
