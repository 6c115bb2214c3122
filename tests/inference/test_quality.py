"""Frames within the model's range, and beyond it."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.analyse import Analyser, History
from streamer.analysis import Flag
from streamer.frame import Frame
from streamer.simulator.contamination import Blob, settle_blob
from streamer.simulator.damage import Damage, fragment_turns, irradiate
from streamer.simulator.microscope import Microscope, Probe, detect, expected_counts
from streamer.simulator.movie import background_counts, expose
from streamer.simulator.sheet import Growth, Sheet, grow_sheet, honeycomb

FIELD_NM = 6.0
PIXEL_NM = 1 / 64

type Image = NDArray[np.float32]
type Flags = Callable[..., set[Flag]]


@pytest.fixture
def flags(analyser: Analyser, make_frame: Callable[..., Frame]) -> Flags:
    # Judged are the network's positions: the fit would cost time and change little.
    quick = replace(analyser, refine=False)

    def flags(image: Image, pixel_size_nm: float = PIXEL_NM) -> set[Flag]:
        frame = make_frame(image, pixel_size_nm=pixel_size_nm)
        return set(quick.analyse(frame, History()).flags)

    return flags


@pytest.fixture(scope="module")
def stages() -> dict[str, Sheet]:
    rng = np.random.default_rng(2024)
    growth = Growth(field_nm=FIELD_NM, silicon_per_nm2=0.4, holes_per_nm2=0.03)
    sheet = early = grow_sheet(growth, rng)
    for turns in fragment_turns(Damage(), growth.fragments, 48, rng):
        sheet = irradiate(sheet, Damage(), turns, rng)
    return {"early": early, "late": sheet}


def microscope(
    dose: float = 1.0, fwhm_nm: float = 0.1, pixel_size_nm: float = PIXEL_NM
) -> Microscope:
    side = round(FIELD_NM / pixel_size_nm)
    time_s = 33.5 * (FIELD_NM / 16) ** 2 * dose
    probe = Probe(fwhm_nm=fwhm_nm)
    return Microscope((side, side), FIELD_NM, frame_time_s=time_s, probe=probe)


def exposed(sheet: Sheet, setting: Microscope, *blobs: Blob) -> Image:
    rng = np.random.default_rng(7)
    return expose(sheet, list(blobs), setting, 0, rng).image


def drawn(xy_nm: NDArray[np.float64], weights: object, setting: Microscope) -> Image:
    """Atoms of any lattice and brightness (that of C is 1)."""
    rowcol = xy_nm[:, ::-1] / setting.pixel_size_nm - 0.5
    weight = np.broadcast_to(np.asarray(weights, np.float64), len(rowcol))
    counts = expected_counts(rowcol, weight, setting, np.zeros(setting.shape[0]))
    return detect(
        counts + background_counts(setting), setting, np.random.default_rng(7)
    )


def lattice(a_nm: float, angle_deg: float) -> NDArray[np.float64]:
    """A site in each cell of a lattice of equal sides, turned by 0.3 rad."""
    i, j = (axis.ravel() for axis in np.mgrid[-60:60, -60:60])
    angle = math.radians(angle_deg)
    xy = a_nm * np.stack([i + j * math.cos(angle), j * math.sin(angle)], axis=1)
    cos, sin = math.cos(0.3), math.sin(0.3)
    xy = xy @ np.array([[cos, sin], [-sin, cos]]) + FIELD_NM / 2
    return np.asarray(xy[((xy > -0.5) & (xy < FIELD_NM + 0.5)).all(axis=1)])


def two_kinds(a_nm: float, first: float, second: float, setting: Microscope) -> Image:
    """A honeycomb whose sublattices are of different elements."""
    one = lattice(a_nm, 60)
    # From one sublattice to the other: a bond along the bisector of the cell.
    bond = (
        a_nm
        / math.sqrt(3)
        * np.array([math.cos(0.3 + math.pi / 6), math.sin(0.3 + math.pi / 6)])
    )
    weights = np.repeat([first, second], len(one))
    return drawn(np.concatenate([one, one + bond]), weights, setting)


each_stage = pytest.mark.parametrize("stage", ["early", "late"])
NOT_AT_FACE_VALUE = {Flag.OTHER_LATTICE, Flag.TOO_NOISY, Flag.NO_ATOMS, Flag.BLURRED}
"""What may be said of a lattice in which the network hardly sees an atom."""
each_dose = pytest.mark.parametrize("dose", [0.25, 10.0])
each_view = pytest.mark.parametrize(
    ("stage", "dose"), [("early", 1.0), ("late", 0.25)], ids=["easy", "hard"]
)
"""What is harder to see is more damaged and noisier."""


@each_stage
@pytest.mark.parametrize("dose", [0.25, 1.0, 10.0])
def test_graphene_is_in_range_at_any_dose_and_damage(
    flags: Flags, stages: dict[str, Sheet], stage: str, dose: float
) -> None:
    assert flags(exposed(stages[stage], microscope(dose))) == set()


@each_view
@pytest.mark.parametrize("pixel_size_nm", [0.008, 0.03])
def test_graphene_is_in_range_at_any_pixel_size(
    flags: Flags,
    stages: dict[str, Sheet],
    stage: str,
    pixel_size_nm: float,
    dose: float,
) -> None:
    setting = microscope(dose, pixel_size_nm=pixel_size_nm)
    assert flags(exposed(stages[stage], setting), setting.pixel_size_nm) == set()


@each_stage
@pytest.mark.parametrize(("fwhm_nm", "dose"), [(0.075, 0.25), (0.12, 0.25), (0.14, 10)])
def test_a_probe_that_resolves_neighbours_is_in_range(
    flags: Flags, stages: dict[str, Sheet], stage: str, fwhm_nm: float, dose: float
) -> None:
    assert flags(exposed(stages[stage], microscope(dose, fwhm_nm))) == set()


@each_stage
@pytest.mark.parametrize(
    ("fwhm_nm", "dose", "said"),
    [
        (0.16, 10.0, {Flag.BLURRED}),
        (0.185, 0.25, {Flag.TOO_NOISY}),
        (0.25, 10.0, {Flag.TOO_NOISY}),
    ],
)
def test_a_probe_that_does_not_is_not(
    flags: Flags,
    stages: dict[str, Sheet],
    stage: str,
    fwhm_nm: float,
    dose: float,
    said: set[Flag],
) -> None:
    assert said <= flags(exposed(stages[stage], microscope(dose, fwhm_nm)))


@each_stage
@each_dose
@pytest.mark.parametrize("scale", [0.9, 1.1])
def test_graphene_of_a_wrong_pixel_size_is_no_other_material(
    flags: Flags, stages: dict[str, Sheet], stage: str, dose: float, scale: float
) -> None:
    image = exposed(stages[stage], microscope(dose))
    assert flags(image, PIXEL_NM * scale) == {Flag.PIXEL_SIZE_DOUBTFUL}


@each_stage
@each_dose
@pytest.mark.parametrize("scale", [0.97, 1.03])
def test_a_pixel_size_that_strain_could_explain_is_not_doubted(
    flags: Flags, stages: dict[str, Sheet], stage: str, dose: float, scale: float
) -> None:
    image = exposed(stages[stage], microscope(dose))
    assert flags(image, PIXEL_NM * scale) == set()


@each_view
@pytest.mark.parametrize(
    "part",
    [
        lambda xy: xy[:, 0] < 0.15 * FIELD_NM,
        lambda xy: xy[:, 0] < 0.5 * FIELD_NM,
        lambda xy: np.hypot(*((xy + 1) % 2 - 1).T) > 0.7,
        lambda xy: np.hypot(*(xy - FIELD_NM / 2).T) < 1.2,
    ],
    ids=["a strip", "half a sheet", "many holes", "an island"],
)
def test_little_graphene_is_graphene(
    flags: Flags,
    stages: dict[str, Sheet],
    stage: str,
    dose: float,
    part: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> None:
    sheet = stages[stage]
    seen = flags(exposed(sheet.keep(part(sheet.xy_nm)), microscope(dose)))
    assert seen == set()


@each_view
@pytest.mark.parametrize("rows", [32, 100])
def test_a_few_rows_of_graphene_are_graphene(
    flags: Flags, stages: dict[str, Sheet], stage: str, dose: float, rows: int
) -> None:
    image = exposed(stages[stage], microscope(dose))
    assert flags(image[:rows].copy()) == set()


@each_view
def test_graphene_beside_much_contamination_is_graphene(
    flags: Flags, stages: dict[str, Sheet], stage: str, dose: float
) -> None:
    rng = np.random.default_rng(3)
    blobs = [settle_blob(FIELD_NM, 1.5, layers, rng) for layers in (3.0, 8.0, 12.0)]
    assert flags(exposed(stages[stage], microscope(dose), *blobs)) == set()


@each_dose
def test_displaced_atoms_are_in_range(flags: Flags, dose: float) -> None:
    xy = honeycomb(FIELD_NM + 1, 0.3) + FIELD_NM / 2
    xy += np.random.default_rng(1).normal(0, 0.02, xy.shape)
    assert flags(drawn(xy, 1.0, microscope(dose))) == set()


@each_dose
@pytest.mark.parametrize("scale", [0.8, 1.2])
@pytest.mark.parametrize(
    ("a_nm", "metal", "chalcogen"),
    [(0.316, 20, 7), (0.316, 60, 7), (0.328, 60, 32), (0.329, 20, 32)],
    ids=["MoS2", "WS2", "WSe2", "MoSe2"],
)
def test_dichalcogenides_are_another_lattice(
    flags: Flags, a_nm: float, metal: float, chalcogen: float, scale: float, dose: float
) -> None:
    image = two_kinds(a_nm, metal, chalcogen, microscope(dose))
    assert flags(image, PIXEL_NM * scale) & NOT_AT_FACE_VALUE


@each_dose
@pytest.mark.parametrize(
    ("a_nm", "angle_deg"),
    [(0.2, 90), (0.25, 90), (0.39, 90), (0.246, 60), (0.35, 60)],
    ids=["square", "wider", "perovskite", "triangular", "wider triangular"],
)
def test_lattices_of_other_symmetry_are_another(
    flags: Flags, a_nm: float, angle_deg: float, dose: float
) -> None:
    image = drawn(lattice(a_nm, angle_deg), 3.0, microscope(dose))
    assert flags(image) & NOT_AT_FACE_VALUE


def test_boron_nitride_is_told_by_its_brightness_alone_where_the_dose_suffices(
    flags: Flags,
) -> None:
    assert flags(two_kinds(0.2504, 0.73, 1.3, microscope(4.0))) == {Flag.OTHER_LATTICE}
    assert flags(two_kinds(0.2504, 0.73, 1.3, microscope(0.1))) == set()


@each_dose
@pytest.mark.parametrize("per_nm2", [10, 38, 100])
def test_scattered_atoms_are_no_graphene(
    flags: Flags, per_nm2: int, dose: float
) -> None:
    count = round(per_nm2 * FIELD_NM**2)
    xy = np.random.default_rng(1).uniform(0, FIELD_NM, (count, 2))
    seen = flags(drawn(xy, 1.0, microscope(dose)))
    assert seen & NOT_AT_FACE_VALUE


def white(side: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(0, 1, (side, side))


def correlated(
    side: int, rng: np.random.Generator, width_px: float
) -> NDArray[np.float64]:
    smooth = gaussian_filter(rng.normal(0, 1, (side, side)), width_px)
    return np.asarray(smooth / smooth.std())


@pytest.mark.parametrize("pixel_size_nm", [0.008, PIXEL_NM, 0.03])
@pytest.mark.parametrize(("level", "sd"), [(5.0, 2.2), (100.0, 10.0), (1000.0, 3.0)])
@pytest.mark.parametrize("width_px", [0, 1, 2, 8])
def test_noise_is_never_taken_at_face_value(
    flags: Flags, pixel_size_nm: float, level: float, sd: float, width_px: int
) -> None:
    rng = np.random.default_rng(11)
    noise = correlated(256, rng, width_px) if width_px else white(256, rng)
    seen = flags((level + sd * noise).astype(np.float32), pixel_size_nm)
    assert seen in ({Flag.NO_ATOMS}, {Flag.TOO_NOISY})


def test_a_slope_has_no_atoms(flags: Flags) -> None:
    assert flags(np.add.outer(np.arange(256.0), np.arange(256.0)).astype("f4")) == {
        Flag.NO_ATOMS
    }


def test_the_atoms_are_given_all_the_same(
    analyser: Analyser, make_frame: Callable[..., Frame]
) -> None:
    image = two_kinds(0.328, 60, 32, microscope())
    found = analyser.analyse(make_frame(image, pixel_size_nm=PIXEL_NM * 0.8), History())
    assert Flag.OTHER_LATTICE in found.flags
    assert len(found.atoms) > 400
    assert "quality" in found.stages_ms


@pytest.mark.parametrize(
    ("dose", "scale", "said"),
    [
        (0.07, 1.0, {Flag.TOO_NOISY}),
        (0.07, 0.87, {Flag.TOO_NOISY, Flag.PIXEL_SIZE_DOUBTFUL}),
        (0.1, 1.15, {Flag.TOO_NOISY, Flag.PIXEL_SIZE_DOUBTFUL}),
    ],
)
def test_noise_alone_does_not_make_the_pixel_size_doubtful(
    flags: Flags, stages: dict[str, Sheet], dose: float, scale: float, said: set[Flag]
) -> None:
    image = exposed(stages["early"], microscope(dose))
    assert flags(image, PIXEL_NM * scale) == said
