import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashboard.bins import Bins
from dashboard.history import first_bins
from dashboard.scene import (
    ANGLE,
    ATOMS_DRAWN,
    IMAGE_SIDE_PX,
    SCORE,
    SIGMA,
    Extent,
    order_column,
    quantities,
    scene,
    shrunk,
)
from streamer.analysis import Analysis, ModelId, Preview
from streamer.atoms import Atoms
from streamer.frame import Completeness
from streamer.wire import pack, unpack

type Movie = Callable[[int], Analysis]


def with_atoms(analysis: Analysis, **columns: object) -> Analysis:
    """`analysis` with other values in some columns of its atoms."""
    table = {**analysis.atoms.columns(), **columns}
    return replace(analysis, atoms=Atoms.from_columns(table))


def repeated(atoms: Atoms, times: int) -> Atoms:
    columns = {name: np.tile(each, times) for name, each in atoms.columns().items()}
    return Atoms.from_columns(columns)


@pytest.mark.parametrize(
    ("angle_deg", "shown_deg"),
    [
        (10.0, 10.0),
        (-10.0, -10.0),
        (75.0, -45.0),
        (130.0, 10.0),
        (-230.0, 10.0),
        (math.nan, math.nan),
    ],
    ids=[
        "inside the period",
        "inside it, negative",
        "beyond half of it",
        "beyond it",
        "negative, beyond it",
        "unknown",
    ],
)
def test_an_angle_is_shown_as_in_the_table_half_a_period_about_zero(
    movie: Movie, angle_deg: float, shown_deg: float
) -> None:
    analysis = movie(0)
    angle = np.full(len(analysis.atoms), np.radians(angle_deg))
    shown = quantities(with_atoms(analysis, angle_rad=angle))[ANGLE]
    np.testing.assert_allclose(shown, shown_deg, atol=1e-4)


def test_silicon_is_drawn_after_carbon(movie: Movie) -> None:
    analysis = movie(40)
    assert set(analysis.atoms.species) == {0, 1}
    drawn = scene(analysis, {}).atoms
    assert (np.diff(drawn["species"].astype(int)) >= 0).all()
    silicon = analysis.atoms.species == 1
    assert sorted(drawn["x"][drawn["species"] == 1]) == sorted(
        analysis.atoms.x_nm[silicon]
    )


def test_all_columns_that_travel_as_numbers_have_four_bytes_or_less(
    movie: Movie,
) -> None:
    sizes = {name: each.itemsize for name, each in scene(movie(0), {}).atoms.items()}
    assert max(sizes.values()) == 4
    assert sizes["species"] == sizes[SCORE] == 1


def test_of_too_many_atoms_an_even_choice_is_drawn(movie: Movie) -> None:
    analysis = movie(0)
    times = 2 * ATOMS_DRAWN // len(analysis.atoms) + 1
    crowd = scene(replace(analysis, atoms=repeated(analysis.atoms, times)), {})
    assert len(crowd.atoms["x"]) <= ATOMS_DRAWN
    assert crowd.found == times * len(analysis.atoms)


@pytest.mark.parametrize(
    ("pixel_size_nm", "expected"),
    [
        pytest.param(0.5, Extent(9.75, -3.25, 3.0, 2.0, "nm"), id="calibrated"),
        pytest.param(None, Extent(-0.5, -0.5, 6.0, 4.0, "px"), id="not calibrated"),
    ],
)
def test_a_frame_lies_around_the_centres_of_its_pixels(
    movie: Movie, pixel_size_nm: float | None, expected: Extent
) -> None:
    analysis = replace(
        movie(0), shape=(4, 6), origin_nm=(10.0, -3.0), pixel_size_nm=pixel_size_nm
    )
    assert scene(analysis, {}).extent == expected


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((100, 60), (100, 60)),
        ((2 * IMAGE_SIDE_PX, IMAGE_SIDE_PX), (IMAGE_SIDE_PX, IMAGE_SIDE_PX // 2)),
        ((1, 1024), (1, IMAGE_SIDE_PX)),
    ],
    ids=["small: as it is", "large: halved", "a line keeps its row"],
)
def test_an_image_is_made_small_enough_to_send(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert shrunk(np.zeros(shape, np.uint8)).shape == expected


def test_making_an_image_smaller_averages_its_pixels() -> None:
    checkers = np.indices((2 * IMAGE_SIDE_PX,) * 2).sum(axis=0) % 2 * 200
    assert set(shrunk(checkers.astype(np.uint8)).ravel()) == {100}


def test_the_greys_of_a_frame_are_counted_by_level(movie: Movie) -> None:
    image = np.array([[0, 0, 7], [7, 7, 255]], np.uint8)
    greys = scene(replace(movie(0), preview=Preview(image, 0.0, 1.0)), {}).greys
    assert {level: int(n) for level, n in enumerate(greys) if n} == {0: 2, 7: 3, 255: 1}
    assert len(greys) == 256


def test_rows_that_were_not_scanned_are_not_counted_among_the_greys(
    movie: Movie,
) -> None:
    image = np.array([[9, 9], [9, 9], [0, 0], [0, 0]], np.uint8)
    half = replace(
        movie(0),
        shape=(4, 2),
        rows_so_far=2,
        completeness=Completeness.PARTIAL,
        preview=Preview(image, 0.0, 1.0),
    )
    greys = scene(half, {}).greys
    assert {level: int(n) for level, n in enumerate(greys) if n} == {9: 4}


def test_a_scene_keeps_nothing_of_the_message_that_brought_it(movie: Movie) -> None:
    parts = pack(movie(0), sent_ns=0)
    message = np.frombuffer(parts[-1], np.uint8)
    analysis = unpack(parts).message
    assert isinstance(analysis, Analysis)
    assert np.shares_memory(analysis.atoms.x_nm, message), "or there is nothing to show"
    shown = scene(analysis, first_bins(analysis))
    kept = (shown.image, *shown.atoms.values(), *shown.table.columns().values())
    assert not any(np.shares_memory(each, message) for each in kept)


def test_the_uncertainty_of_a_position_is_that_along_either_axis(movie: Movie) -> None:
    analysis = movie(0)
    count = len(analysis.atoms)
    sigma = {"x_sigma_nm": np.full(count, 0.001), "y_sigma_nm": np.full(count, 0.007)}
    shown = scene(with_atoms(analysis, **sigma), {}).atoms[SIGMA]
    np.testing.assert_allclose(shown, 5.0, rtol=1e-5)
    sigma["y_sigma_nm"] = np.full(count, np.nan)
    assert np.isnan(scene(with_atoms(analysis, **sigma), {}).atoms[SIGMA]).all()


def test_the_first_row_of_the_image_is_the_top_one(movie: Movie) -> None:
    image = np.zeros((8, 8), np.uint8)
    image[0] = 255
    preview = Preview(image=image, low=0.0, high=1.0)
    assert (scene(replace(movie(0), preview=preview), {}).image[0] == 255).all()


@pytest.mark.parametrize(
    ("latents", "column"),
    [
        (("z1", "crystallinity"), "crystallinity"),
        (("z1", "z2"), "z1"),
        ((), SCORE),
    ],
)
def test_the_order_map_shows_what_the_model_has(
    latents: tuple[str, ...], column: str
) -> None:
    assert order_column(ModelId("m", "0" * 64, latents, 1.0)) == column


def test_a_latent_that_the_table_lacks_is_unknown_for_every_atom(movie: Movie) -> None:
    bare = replace(movie(0), atoms=Atoms.none())
    assert {name: len(each) for name, each in quantities(bare).items()} == {
        "crystallinity": 0, "z1": 0, "z2": 0, ANGLE: 0,
    }  # fmt: skip
    assert first_bins(bare) == {ANGLE: Bins(-60.0, 60.0)}
