"""How large pixels are, told by nothing but the frame."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from inference.analyse import Analyser, History
from inference.evaluation.real.folder import sheets_in
from inference.lattice import BOND_NM
from inference.pixel_size import LOOKS, estimate_pixel_size
from streamer.analysis import Analysis, Flag, PixelSizeSource
from streamer.frame import Frame
from streamer.simulator.contamination import settle_blob
from streamer.simulator.damage import Damage, fragment_turns, irradiate
from streamer.simulator.microscope import scaled_microscope
from streamer.simulator.movie import expose
from streamer.simulator.sheet import (
    CARBON,
    SILICON,
    Growth,
    Sheet,
    grow_sheet,
    honeycomb,
)

type Estimate = Callable[[NDArray[np.generic]], float | None]
type MakeFrame = Callable[..., Frame]

PIXEL_NM = 0.02


@pytest.fixture(scope="module")
def estimate(analyser: Analyser) -> Estimate:
    model = analyser.model
    return lambda image: estimate_pixel_size(
        image.astype(np.float32), model.card.dcnn, model.segment
    )


def exposed(
    pixel_size_nm: float,
    side_px: int = 512,
    dose: float = 1.0,
    damaged: bool = False,
    seed: int = 1,
) -> NDArray[np.float32]:
    """A sheet of several grains with Si and contamination, perhaps full of holes."""
    rng = np.random.default_rng(seed)
    field_nm = side_px * pixel_size_nm
    growth = Growth(field_nm=field_nm, silicon_per_nm2=0.3)
    sheet = grow_sheet(growth, rng)
    turns = fragment_turns(Damage(), growth.fragments, 42, rng)
    for turn in turns if damaged else ():
        sheet = irradiate(sheet, Damage(), turn, rng)
    blob = settle_blob(field_nm, 0.8, 5.0, rng)
    setting = scaled_microscope(side_px, field_nm, dose)
    return expose(sheet, [blob], setting, 0, rng).image


def crystal(
    bond_nm: float = BOND_NM, turn_rad: float = 0.3, second: int = CARBON
) -> NDArray[np.float32]:
    """One grain, of which every other atom may be of another element."""
    sites = honeycomb(20.0 * BOND_NM / bond_nm, 0.0) * bond_nm / BOND_NM
    across = sites[:, 1] / bond_nm
    kind = np.where(np.rint(2 * across).astype(int) % 3 == 0, second, CARBON)
    turned = np.array(
        [
            [math.cos(turn_rad), -math.sin(turn_rad)],
            [math.sin(turn_rad), math.cos(turn_rad)],
        ]
    )
    sheet = Sheet(
        sites @ turned.T + 5.0, kind.astype(np.uint8), np.zeros(len(sites), int), 10.0
    )
    setting = scaled_microscope(500, 10.0, 1.0)
    return expose(sheet, [], setting, 0, np.random.default_rng(1)).image


@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "holes"])
@pytest.mark.parametrize("dose", [1.0, 0.25])
@pytest.mark.parametrize(
    ("pixel_size_nm", "side_px"),
    [(0.008, 512), (0.0125, 400), (1 / 64, 512), (0.02, 300), (0.032, 256)],
)
def test_a_simulated_frame_tells_its_pixel_size_to_a_hundredth(
    estimate: Estimate, pixel_size_nm: float, side_px: int, dose: float, damaged: bool
) -> None:
    found = estimate(exposed(pixel_size_nm, side_px, dose, damaged))
    assert found == pytest.approx(pixel_size_nm, rel=0.01)


@pytest.mark.parametrize("turn_deg", [0, 7, 15, 22, 30, 90])
def test_the_orientation_does_not_matter(estimate: Estimate, turn_deg: float) -> None:
    found = estimate(crystal(turn_rad=math.radians(turn_deg)))
    assert found == pytest.approx(PIXEL_NM, rel=0.01)


def test_most_of_the_frame_may_be_vacuum(estimate: Estimate) -> None:
    image = crystal()
    image[:, 150:] = np.random.default_rng(1).poisson(0.3, (500, 350))
    assert estimate(image) == pytest.approx(PIXEL_NM, rel=0.01)


def test_gain_offset_and_hot_pixels_do_not_matter(estimate: Estimate) -> None:
    image = 7 * crystal() + 1000
    row, col = np.random.default_rng(1).integers(0, 500, (2, 30))
    image[row, col] = 1e6
    assert estimate(image) == pytest.approx(PIXEL_NM, rel=0.01)


@pytest.mark.parametrize("shape", [(96, 500), (500, 96)], ids=str)
def test_the_shape_does_not_matter(estimate: Estimate, shape: tuple[int, int]) -> None:
    found = estimate(crystal()[: shape[0], : shape[1]])
    assert found == pytest.approx(PIXEL_NM, rel=0.01)


@pytest.mark.parametrize(
    "image",
    [
        np.random.default_rng(1).poisson(3, (256, 256)),
        np.random.default_rng(1).normal(0, 1, (64, 4096)),
        gaussian_filter(np.random.default_rng(1).normal(0, 1, (512, 512)), 4),
        gaussian_filter(np.random.default_rng(1).normal(0, 1, (512, 512)), 2),
        np.add.outer(np.arange(256.0), np.arange(300.0)),
        np.sin(np.arange(256.0) / 2)[:, None] + np.sin(np.arange(256.0) / 2),
        crystal(second=SILICON),
        np.ones((7, 3)),
    ],
    ids=["counts", "strip of noise", "amorphous", "fine amorphous", "slope",
         "square lattice", "two elements", "tiny"],
)  # fmt: skip
def test_what_is_not_graphene_does_not_tell(
    estimate: Estimate, image: NDArray[np.generic]
) -> None:
    assert estimate(image) is None


@pytest.mark.parametrize("width_px", [0, 1, 2, 4])
def test_a_frame_that_shows_nothing_is_looked_at_a_few_times_and_not_all_over(
    analyser: Analyser, width_px: int
) -> None:
    model, shown = analyser.model, []

    def network(image: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        shown.append(image.size)
        return model.segment(image)

    noise = np.random.default_rng(1).normal(0, 1, (1024, 1024))
    smooth = gaussian_filter(noise, width_px).astype(np.float32)
    assert estimate_pixel_size(smooth, model.card.dcnn, network) is None
    assert 0 < len(shown) <= LOOKS
    whole = (16 / model.card.dcnn.pixel_size_nm) ** 2
    assert sum(shown) <= 1.1 * LOOKS / 4 * whole


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_sheet_at_the_border_of_a_large_frame_is_found(
    estimate: Estimate, side: str
) -> None:
    image = np.random.default_rng(1).poisson(0.3, (1000, 1000)).astype(np.float32)
    strip = crystal()[:, :200]
    image[250:750, :200] = strip
    turned = {"left": 0, "bottom": 1, "right": 2, "top": 3}[side]
    assert estimate(np.rot90(image, turned)) == pytest.approx(PIXEL_NM, rel=0.01)


def test_real_frames_tell_theirs_to_three_hundredths(
    estimate: Estimate, real_data: Path
) -> None:
    for recording in sheets_in(real_data):
        for image in recording.images[::8]:
            assert estimate(image) == pytest.approx(
                recording.pixel_size_nm, rel=0.03
            ), recording.name


@pytest.mark.parametrize("file", ["mos2/MoS2_stem_Exp-000-2.npy", "ws2/WS2.npy"])
def test_real_frames_of_other_materials_do_not_tell(
    estimate: Estimate, real_data: Path, file: str
) -> None:
    images = np.load(real_data / file)
    assert estimate(images.reshape(-1, *images.shape[-2:])[0]) is None


def analysed(
    model: Analyser, frame: Frame, estimating: bool = False, told: float | None = None
) -> Analysis:
    analyser = replace(model, pixel_size_nm=told, estimate_pixel_size=estimating)
    return analyser.analyse(frame, History())


@pytest.mark.parametrize(
    ("own", "told", "estimating", "source", "flags"),
    [
        (0.02, None, False, PixelSizeSource.METADATA, set()),
        (None, 0.02, False, PixelSizeSource.TOLD, set()),
        (0.5, 0.02, False, PixelSizeSource.TOLD, set()),
        (None, None, False, PixelSizeSource.LATTICE, {Flag.PIXEL_SIZE_ESTIMATED}),
        (0.02, None, True, PixelSizeSource.LATTICE, {Flag.PIXEL_SIZE_ESTIMATED}),
        (0.025, None, True, PixelSizeSource.LATTICE, {Flag.PIXEL_SIZE_ESTIMATED}),
        (0.017, None, False, PixelSizeSource.METADATA, {Flag.PIXEL_SIZE_DOUBTFUL}),
        (0.023, None, False, PixelSizeSource.METADATA, {Flag.PIXEL_SIZE_DOUBTFUL}),
        (None, 0.023, False, PixelSizeSource.TOLD, {Flag.PIXEL_SIZE_DOUBTFUL}),
    ],
)
def test_an_analysis_says_where_its_pixel_size_comes_from_and_doubts_it(
    analyser: Analyser,
    make_frame: MakeFrame,
    own: float | None,
    told: float | None,
    estimating: bool,
    source: PixelSizeSource,
    flags: set[Flag],
) -> None:
    frame = make_frame(crystal(), pixel_size_nm=own)
    found = analysed(analyser, frame, estimating, told)
    assert found.pixel_size_source is source
    assert set(found.flags) == flags
    used = {PixelSizeSource.METADATA: own, PixelSizeSource.TOLD: told}
    expected = used.get(source, PIXEL_NM)
    assert found.pixel_size_nm == pytest.approx(expected, rel=0.01)
    told_nm = found.estimated_pixel_size_nm
    assert told_nm == (pytest.approx(PIXEL_NM, rel=0.005) if flags else None)
    assert len(found.atoms) > 3000
    assert found.summary.area_nm2 == pytest.approx(
        (500 * (expected or 0)) ** 2, rel=0.02
    )


@pytest.mark.parametrize("wrong", [0.87, 1.13])
def test_the_size_that_is_told_does_not_lean_towards_the_wrong_one(
    analyser: Analyser, make_frame: MakeFrame, wrong: float
) -> None:
    image = exposed(PIXEL_NM, 400, dose=0.1)
    quick = replace(analyser, refine=False)
    found = analysed(quick, make_frame(image, pixel_size_nm=wrong * PIXEL_NM))
    assert Flag.PIXEL_SIZE_DOUBTFUL in found.flags
    assert found.estimated_pixel_size_nm == pytest.approx(PIXEL_NM, rel=0.008)


@pytest.mark.parametrize("own", [0.002, 0.2, 2.0])
def test_a_pixel_size_in_another_unit_is_doubted_though_nothing_is_seen(
    analyser: Analyser, make_frame: MakeFrame, own: float
) -> None:
    found = analysed(analyser, make_frame(crystal(), pixel_size_nm=own))
    assert Flag.PIXEL_SIZE_DOUBTFUL in found.flags
    assert found.estimated_pixel_size_nm == pytest.approx(PIXEL_NM, rel=0.005)


def test_without_calibration_nor_lattice_a_frame_is_not_analysed(
    analyser: Analyser, make_frame: MakeFrame
) -> None:
    noise = np.random.default_rng(1).poisson(3, (256, 256)).astype(np.float32)
    found = analysed(analyser, make_frame(noise, pixel_size_nm=None))
    assert found.flags == (Flag.NO_PIXEL_SIZE, Flag.NO_ATOMS)
    assert found.pixel_size_nm is found.pixel_size_source is None
    assert found.estimated_pixel_size_nm is None
    assert len(found.atoms) == 0
    assert math.isnan(found.summary.area_nm2)


def test_where_the_lattice_does_not_tell_the_calibration_holds(
    analyser: Analyser, make_frame: MakeFrame
) -> None:
    noise = np.random.default_rng(1).poisson(3, (128, 128)).astype(np.float32)
    found = analysed(analyser, make_frame(noise, pixel_size_nm=0.02), estimating=True)
    assert found.pixel_size_nm == 0.02
    assert found.pixel_size_source is PixelSizeSource.METADATA
