import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from streamer.frame import DTYPES
from streamer.preview import preview


def ramp(rows: int, cols: int, dtype: str = np.float32) -> NDArray[np.generic]:
    return np.linspace(0, 100, rows * cols).reshape(rows, cols).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ((1, 1), (1, 1)),
        ((1024, 1024), (1024, 1024)),
        ((1025, 7), (513, 4)),
        ((2048, 1024), (1024, 512)),
        ((3000, 5000), (600, 1000)),
        ((16_384, 2), (1024, 1)),
    ],
)
def test_shows_at_most_1024_pixels_a_side(
    shape: tuple[int, int], shown: tuple[int, int]
) -> None:
    assert preview(np.zeros(shape, np.uint8), shape[0]).image.shape == shown


@pytest.mark.parametrize("dtype", sorted(DTYPES, key=str), ids=str)
def test_stretches_between_the_percentiles(dtype: str) -> None:
    picture = preview(ramp(200, 300, dtype), 200)
    assert picture.low == pytest.approx(0.5, abs=1)
    assert picture.high == pytest.approx(99.5, abs=1)
    assert picture.image[0, 0] == 0
    assert picture.image[-1, -1] == 255
    middle = int(picture.image[100, 150])
    assert middle == pytest.approx(128, abs=3)


def test_grey_is_where_the_frame_is_bright() -> None:
    image = np.zeros((64, 64), np.float32)
    image[10:20, 30:50] = 7
    np.testing.assert_array_equal(preview(image, 64).image == 255, image == 7)


def test_small_contrast_on_a_large_number_is_seen() -> None:
    image = np.full((8, 8), 4_000_000_000, np.uint32)
    image[::2] += 2
    assert set(np.unique(preview(image, 8).image)) == {0, 255}


def test_a_large_frame_is_shown_as_the_means_of_its_blocks() -> None:
    image = np.zeros((2047, 2048), np.float32)
    image[0:2, 0:2] = [[1, 2], [3, 6]]
    image[2046, 4:6] = [4, 2]
    image[4:6, 4:6] = 100
    picture = preview(image, 2047)
    assert picture.low == picture.high == 0
    picture = preview(image + ramp(2047, 2048) * 1e-6, 2047)
    assert picture.image[2, 2] == 255


@pytest.mark.parametrize(
    ("values", "grey"),
    [
        ([np.nan, 0, 1, np.inf, -np.inf], [0, 0, 255, 255, 0]),
        ([5, 5, 5, 5, 5], [0, 0, 0, 0, 0]),
        ([0, 0, 0, 0, 0], [0, 0, 0, 0, 0]),
        ([np.nan] * 5, [0] * 5),
        ([np.inf] * 5, [0] * 5),
        ([-1.7e308, 1.7e308, 0, np.nan, 0], [0, 255, 128, 0, 128]),
        ([0, 5e-324, 0, 0, 0], [0, 0, 0, 0, 0]),
    ],
    ids=["holes", "constant", "zero", "all NaN", "all inf", "huge", "subnormal"],
)
def test_takes_any_number(values: list[float], grey: list[int]) -> None:
    image = np.array([values], np.float64)
    np.testing.assert_allclose(preview(image, 1).image, [grey], atol=1)


def test_rows_not_yet_scanned_are_black_and_do_not_count() -> None:
    image = ramp(100, 100)
    image[60:] = 1e6
    picture = preview(image, 60)
    assert picture.high < 100
    assert not picture.image[60:].any()
    assert picture.image[30:60].all()


@pytest.mark.parametrize(("valid", "shown"), [(2049, 683), (2048, 682), (2, 0)])
def test_a_block_that_is_valid_in_part_is_black(
    valid: int, shown: tuple[int, int]
) -> None:
    image = ramp(2049, 30) + 1
    picture = preview(image, valid).image
    assert not picture[shown:].any()
    assert shown == 0 or picture[shown - 1].any()


def test_is_the_same_each_time() -> None:
    image = np.random.default_rng(1).normal(size=(300, 1500)).astype(np.float32)
    first, second = preview(image, 300), preview(image.copy(), 300)
    np.testing.assert_array_equal(first.image, second.image)
    assert (first.low, first.high) == (second.low, second.high)


@settings(max_examples=100, deadline=None)
@given(
    image=hnp.arrays(
        st.sampled_from(sorted(DTYPES, key=str)),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
    ),
    share=st.floats(0, 1),
)
def test_is_a_picture_of_any_frame(image: NDArray[np.generic], share: float) -> None:
    picture = preview(image, int(share * image.shape[0]))
    assert picture.image.shape == image.shape
    assert picture.image.dtype == np.uint8
    assert np.isfinite([picture.low, picture.high]).all()


def test_every_column_is_sampled() -> None:
    image = np.zeros((1024, 1024), np.float32)
    columns = itertools.islice(itertools.cycle([0, 1]), 1024)
    image[:] = np.fromiter(columns, np.float32)
    picture = preview(image, 1024)
    assert (picture.low, picture.high) == (0, 1)
