import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.analyse import Analyser, History
from inference.evaluation.scoring import Score, score
from inference.matching import match
from streamer.analysis import Analysis, Flag
from streamer.frame import DTYPES, Completeness, Frame
from streamer.simulator.contamination import settle_blob
from streamer.simulator.damage import Damage, fragment_turns, irradiate
from streamer.simulator.microscope import Microscope, detect
from streamer.simulator.movie import Exposure, background_counts, expose
from streamer.simulator.sheet import Growth, Sheet, grow_sheet, honeycomb

type MakeFrame = Callable[..., Frame]
type Scored = Callable[[str, float], Score]

FIELD_NM = 8.0
SEED = 1000
"""Models are trained and chosen on smaller ones."""
PIXEL_NM = 1 / 64


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


@pytest.fixture(scope="module")
def stages() -> Mapping[str, Sheet]:
    return dict(zip(("early", "late"), damaged(SEED, 42), strict=True))


def exposed(sheet: Sheet, setting: Microscope, clean: bool = False) -> Exposure:
    rng = np.random.default_rng(SEED)
    blobs = [] if clean else [settle_blob(FIELD_NM, 0.8, 5.0, rng)]
    return expose(sheet, blobs, setting, 0, rng)


@pytest.fixture(scope="module")
def pristine(stages: Mapping[str, Sheet]) -> NDArray[np.float32]:
    """Counts of a clean early sheet, 512 x 512."""
    return exposed(stages["early"], microscope(), clean=True).image


@pytest.fixture
def analyse(analyser: Analyser, make_frame: MakeFrame) -> Callable[..., Analysis]:
    def analysed(image: NDArray[np.generic], **fields: object) -> Analysis:
        return analyser.analyse(make_frame(image, **fields), History())

    return analysed


def rowcol(analysis: Analysis) -> NDArray[np.float64]:
    atoms = analysis.atoms
    return np.stack([atoms.row_px, atoms.col_px], axis=1).astype(np.float64)


def fingerprint(analysis: Analysis) -> dict[str, bytes]:
    columns = analysis.atoms.columns()
    return {name: column.tobytes() for name, column in columns.items()}


@pytest.fixture(scope="module")
def scored(
    analyser: Analyser, make_frame: MakeFrame, stages: Mapping[str, Sheet]
) -> Scored:
    """Marks of a frame at the nominal dose, which no model was trained on."""

    @functools.cache
    def scored(stage: str, pixel_size_nm: float) -> Score:
        exposure = exposed(stages[stage], microscope(pixel_size_nm))
        size = exposure.microscope.pixel_size_nm
        frame = make_frame(exposure.image, pixel_size_nm=size)
        atoms = analyser.analyse(frame, History()).atoms
        return score(atoms, exposure.truth, frame.shape, size)

    return scored


each_stage = pytest.mark.parametrize("stage", ["early", "late"])
each_pixel_size = pytest.mark.parametrize("pixel_size_nm", [0.01, PIXEL_NM, 0.02, 0.03])


@each_stage
@each_pixel_size
def test_atoms_are_found(scored: Scored, stage: str, pixel_size_nm: float) -> None:
    result = scored(stage, pixel_size_nm)
    assert result.f1 >= 0.97
    assert result.edge_recall >= 0.9
    assert result.rmsd_pm < 17  # measured; the bound of these scenes is 13 to 15


@each_stage
@each_pixel_size
def test_silicon_is_told_from_carbon(
    scored: Scored, stage: str, pixel_size_nm: float
) -> None:
    result = scored(stage, pixel_size_nm)
    assert result.silicon_precision >= 0.9
    assert result.silicon_recall >= 0.9


@each_stage
@each_pixel_size
def test_the_lattice_is_oriented(
    scored: Scored, stage: str, pixel_size_nm: float
) -> None:
    result = scored(stage, pixel_size_nm)
    assert result.angle_bulk_deg <= 2
    assert result.angle_deg <= 3


@each_pixel_size
def test_crystallinity_follows_the_order_of_the_bonds(
    scored: Scored, pixel_size_nm: float
) -> None:
    # A pristine sheet is all of one order: there is nothing to rank.
    assert scored("late", pixel_size_nm).order_rho >= 0.7


def test_the_sublattices_are_60_degrees_apart_in_angle(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32]
) -> None:
    atoms = analyse(pristine).atoms
    direction = np.exp(3j * atoms.angle_rad[~atoms.edge].astype(np.float64))
    # Twice the threefold angle is the same for both: one clean lattice.
    assert abs((direction**2).mean()) > 0.95
    assert abs(direction.mean()) < 0.2


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_everything_turns_with_the_frame(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32], quarters: int
) -> None:
    straight, turned = analyse(pristine), analyse(np.rot90(pristine, quarters).copy())
    here = rowcol(straight) - 255.5
    for _ in range(quarters):  # counter-clockwise: what was right is up
        here = np.stack([-here[:, 1], here[:, 0]], axis=1)
    pairs = match(rowcol(turned), here + 255.5, 2.0)
    assert len(pairs.found) > 0.99 * len(here)
    assert pairs.distance.mean() < 0.4
    whole = ~straight.atoms.edge[pairs.true]
    found, true = pairs.found[whole], pairs.true[whole]
    change = turned.atoms.angle_rad[found] - straight.atoms.angle_rad[true]
    period = straight.model.angle_period_rad
    off = change.astype(np.float64) - quarters * math.pi / 2
    off -= period * np.round(off / period)
    assert np.nanmean(np.abs(off)) < math.radians(0.5)
    for name, latent in straight.atoms.latents.items():
        after = turned.atoms.latents[name]
        spread = max(float(latent.std()), 0.05)
        assert np.abs(after[found] - latent[true]).mean() < 0.5 * spread, name


def test_a_frame_alone_and_after_others_gives_the_same_bytes(
    analyser: Analyser, make_frame: MakeFrame, pristine: NDArray[np.float32]
) -> None:
    alone = Analyser(analyser.model).analyse(make_frame(pristine), History())
    busy = Analyser(analyser.model)
    for other in (pristine[::-1] * 100, pristine[:100, :333], pristine * np.nan):
        busy.analyse(make_frame(np.ascontiguousarray(other)), History())
    later = busy.analyse(make_frame(pristine, seq=3), History(time_s=9))
    assert fingerprint(later) == fingerprint(alone)


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


def test_the_frame_itself_is_left_alone(
    analyse: Callable[..., Analysis], pristine: NDArray[np.float32]
) -> None:
    before = pristine.copy()
    analyse(pristine)
    np.testing.assert_array_equal(pristine, before)


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


def half_a_sheet(extra: list[tuple[float, float]]) -> Sheet:
    """A sheet on the left of a field of 4 nm, and atoms in the vacuum beside it."""
    sites = honeycomb(7.0, 0.3) + 2.0
    xy = np.concatenate([sites[sites[:, 0] < 2.0], np.reshape(extra, (-1, 2))])
    none = np.zeros(len(xy), np.int64)
    return Sheet(xy, none.astype(np.uint8), none, 4.0)


HALF = replace(microscope(), shape=(256, 256), field_nm=4.0, frame_time_s=33.5 / 16)


@pytest.mark.parametrize(
    ("places", "known"),
    [
        ([(3.0, 1.0)], False),
        ([(3.0, 1.0), (3.4, 3.0)], False),
        ([(3.0, 1.0), (3.142, 1.0)], True),
    ],
    ids=["one atom", "two far apart", "a pair"],
)
def test_an_atom_on_its_own_has_no_orientation(
    analyse: Callable[..., Analysis],
    places: list[tuple[float, float]],
    known: bool,
) -> None:
    exposure = exposed(half_a_sheet(places), HALF, clean=True)
    found = analyse(exposure.image)
    truth = exposure.truth
    alone = np.stack([truth.row_px, truth.col_px], axis=1)[-len(places) :]
    pairs = match(rowcol(found), alone, 4.0)
    assert len(pairs.found) == len(places)
    angle = found.atoms.angle_rad[pairs.found]
    assert np.isfinite(angle).tolist() == [known] * len(places)
    for latent in found.atoms.latents.values():
        assert np.isfinite(latent).all()


@pytest.mark.parametrize("dose", [0.25, 1.0, 4.0])
def test_vacuum_beside_a_sheet_is_empty(
    analyse: Callable[..., Analysis], dose: float
) -> None:
    setting = replace(HALF, frame_time_s=HALF.frame_time_s * dose)
    found = analyse(exposed(half_a_sheet([]), setting, clean=True).image)
    vacuum = found.atoms.x_nm > 2.3
    assert vacuum.sum() / (4.0 * 1.7) < 0.5
    assert (~vacuum).sum() == pytest.approx(38.2 * 8, rel=0.05)


@each_pixel_size
def test_a_frame_of_vacuum_holds_less_than_a_tenth_of_a_sheets_atoms(
    analyse: Callable[..., Analysis], pixel_size_nm: float
) -> None:
    setting = microscope(pixel_size_nm)
    level = np.full((256, 256), background_counts(setting), np.float32)
    image = detect(level, setting, np.random.default_rng(SEED))
    found = analyse(image, pixel_size_nm=pixel_size_nm)
    assert len(found.atoms) / found.summary.area_nm2 < 3.8


@each_pixel_size
def test_grey_noise_holds_almost_no_atoms(
    analyse: Callable[..., Analysis], pixel_size_nm: float
) -> None:
    noise = np.random.default_rng(SEED).normal(100, 10, (256, 256)).astype(np.float32)
    found = analyse(noise, pixel_size_nm=pixel_size_nm)
    assert len(found.atoms) / found.summary.area_nm2 < 0.5
