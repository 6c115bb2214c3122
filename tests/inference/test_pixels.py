import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from inference.pixels import LARGEST, pixels_of
from streamer.analysis import Flag
from streamer.frame import DTYPES, Completeness, Frame, Stream

HAADF = Stream("5f0c", "SuperScan", "HAADF")


def frame_of(image: NDArray[np.generic], **fields: object) -> Frame:
    return Frame(HAADF, 0, image, **fields)


def ramp(dtype: str = "float32") -> NDArray[np.generic]:
    return np.arange(12 * 10).reshape(12, 10).astype(dtype)


@pytest.mark.parametrize("dtype", sorted(DTYPES, key=str), ids=str)
def test_pixels_of_every_type_keep_their_values(dtype: str) -> None:
    pixels = pixels_of(frame_of(ramp(dtype)))
    assert pixels.image.dtype == np.float32
    assert pixels.flags == ()
    assert pixels.worth_analysing
    np.testing.assert_array_equal(pixels.image, ramp())


@pytest.mark.parametrize(
    "value", [np.nan, np.inf, -np.inf, 1e300, -1e300, 1e39], ids=str
)
def test_what_is_no_number_becomes_the_median_and_is_flagged(value: float) -> None:
    image = ramp("float64")
    image[3:5, 2] = value
    rest = np.delete(ramp().ravel(), [32, 42])
    pixels = pixels_of(frame_of(image))
    assert pixels.flags == (Flag.NOT_FINITE,)
    np.testing.assert_array_equal(pixels.image[3:5, 2], np.median(rest))
    np.testing.assert_array_equal(np.delete(pixels.image.ravel(), [32, 42]), rest)


@pytest.mark.parametrize("value", [3e38, -3e38])
def test_numbers_too_large_to_square_are_cut(value: float) -> None:
    image = ramp()
    image[3, 2] = value
    pixels = pixels_of(frame_of(image))
    assert pixels.flags == ()
    assert pixels.image[3, 2] == np.float32(np.copysign(LARGEST, value))


def test_the_median_of_huge_numbers_is_a_number() -> None:
    image = np.full((12, 10), 3e38, np.float32)
    image[:, ::2] = -3e38
    image[0, 0] = np.nan
    pixels = pixels_of(frame_of(image))
    assert np.isfinite(pixels.image).all()
    assert pixels.flags == (Flag.NOT_FINITE,)


def test_half_precision_has_infinities_too() -> None:
    image = ramp("float16")
    image[0, 0] = np.float16(np.inf)
    assert pixels_of(frame_of(image)).flags == (Flag.NOT_FINITE,)


@pytest.mark.parametrize("value", [0.0, 7.0, -1.5, np.nan, np.inf, 1e300], ids=str)
def test_a_constant_frame_is_not_worth_analysing(value: float) -> None:
    pixels = pixels_of(frame_of(np.full((12, 10), value)))
    assert Flag.CONSTANT in pixels.flags
    assert (Flag.NOT_FINITE in pixels.flags) == (not abs(value) < 1e38)
    assert not pixels.worth_analysing
    assert np.isfinite(pixels.image).all()


@pytest.mark.parametrize("rows", [2, 5])
@pytest.mark.parametrize("value", [0.0, 8.0, np.nan])
def test_a_complete_frame_with_constant_last_rows_is_flagged(
    rows: int, value: float
) -> None:
    image = ramp()
    image[-rows:] = value
    pixels = pixels_of(frame_of(image))
    assert Flag.CONSTANT_ROWS in pixels.flags
    assert pixels.worth_analysing


def test_one_last_row_without_a_count_may_be_vacuum() -> None:
    image = ramp()
    image[-1] = 0
    pixels = pixels_of(frame_of(image))
    assert pixels.flags == ()
    np.testing.assert_array_equal(pixels.image, image)


def test_constant_rows_above_the_last_are_no_sign() -> None:
    image = ramp()
    image[:6] = 0
    assert pixels_of(frame_of(image)).flags == ()


@pytest.mark.parametrize("how", [Completeness.PARTIAL, Completeness.ABORTED])
def test_rows_that_are_not_of_this_frame_never_matter(how: Completeness) -> None:
    one, other = ramp(), ramp()
    one[7:], other[7:] = 0, np.nan
    for image in (one, other):
        pixels = pixels_of(frame_of(image, completeness=how, valid_rows=7))
        assert pixels.flags == (Flag.PARTIAL,)
        np.testing.assert_array_equal(pixels.image, ramp()[:7])


def test_a_frame_of_which_nothing_was_scanned_holds_nothing() -> None:
    pixels = pixels_of(
        frame_of(ramp(), completeness=Completeness.PARTIAL, valid_rows=0)
    )
    assert Flag.PARTIAL in pixels.flags
    assert not pixels.worth_analysing


def test_the_frame_itself_is_left_alone() -> None:
    image = ramp()
    image[0, 0] = np.nan
    before = image.copy()
    pixels_of(frame_of(image))
    np.testing.assert_array_equal(image, before)


@settings(max_examples=100, deadline=None)
@given(
    image=hnp.arrays(
        st.sampled_from(sorted(DTYPES, key=str)),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=20),
    ),
    share=st.floats(0, 1),
)
def test_any_frame_becomes_finite(image: NDArray[np.generic], share: float) -> None:
    valid = int(share * len(image))
    frame = frame_of(image, completeness=Completeness.PARTIAL, valid_rows=valid)
    pixels = pixels_of(frame)
    assert pixels.image.shape == (valid, image.shape[1])
    assert (np.abs(pixels.image) <= np.float32(LARGEST)).all()
