import io
from collections.abc import Callable

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from streamer.frame import DTYPES, Completeness, Frame, Stream
from streamer.session import tiff

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=10,
)
maybe_ns = st.none() | st.integers(0, 2**63 - 1)
maybe_positive = st.none() | st.floats(0, exclude_min=True, allow_infinity=False)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
    return Frame(
        stream=Stream(draw(st.text()), draw(st.text()), draw(st.text())),
        seq=draw(st.integers(0, 2**63 - 1)),
        image=draw(hnp.arrays(st.sampled_from(sorted(DTYPES, key=str)), shape)),
        pixel_size_nm=draw(maybe_positive),
        origin_nm=(draw(finite), draw(finite)),
        start_ns=draw(maybe_ns),
        end_ns=draw(maybe_ns),
        dwell_time_us=draw(maybe_positive),
        dose_e_nm2=draw(maybe_positive),
        completeness=draw(st.sampled_from(Completeness)),
        valid_rows=draw(st.integers(0, shape[0])),
        metadata=draw(st.dictionaries(st.text(), json_values, max_size=3)),
    )


@settings(max_examples=150, deadline=None)
@given(frame=frames())
def test_any_frame_comes_back_as_it_was(
    frame: Frame, same_frames: Callable[[Frame, Frame], None]
) -> None:
    same_frames(tiff.decode(tiff.encode(frame)), frame)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_imagej_and_fiji_see_the_calibration(
    make_frame: Callable[..., Frame], dtype: str
) -> None:
    frame = make_frame(image=np.ones((4, 6), dtype), pixel_size_nm=0.0125)
    with tifffile.TiffFile(io.BytesIO(tiff.encode(frame))) as file:
        assert file.is_imagej
        assert file.imagej_metadata["unit"] == "nm"
        tags = file.pages.first.tags
        assert tags["XResolution"].value == tags["YResolution"].value == (80, 1)
        assert file.series[0].axes == "YX"


@pytest.mark.parametrize("dtype", ["int8", "uint32", "int32", "float16", "float64"])
def test_other_pixels_are_plain_tiff_with_pixels_per_cm(
    make_frame: Callable[..., Frame], dtype: str
) -> None:
    frame = make_frame(image=np.ones((4, 6), dtype), pixel_size_nm=0.0125)
    with tifffile.TiffFile(io.BytesIO(tiff.encode(frame))) as file:
        assert not file.is_imagej
        assert file.pages.first.resolutionunit == tifffile.RESUNIT.CENTIMETER
        assert file.pages.first.resolution == (8e8, 8e8)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_hyperspy_finds_the_calibration_in_gatans_tags(
    make_frame: Callable[..., Frame], dtype: str
) -> None:
    frame = make_frame(image=np.ones((4, 6), dtype))
    with tifffile.TiffFile(io.BytesIO(tiff.encode(frame))) as file:
        tags = file.pages.first.tags
        assert [tags[code].value for code in (65003, 65004)] == ["nm", "nm"]
        assert [tags[code].value for code in (65006, 65007)] == [-2.5, 1.25]
        assert [tags[code].value for code in (65009, 65010)] == [0.0156, 0.0156]


def test_a_frame_without_calibration_claims_none(
    make_frame: Callable[..., Frame],
) -> None:
    data = tiff.encode(make_frame(pixel_size_nm=None))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert "unit" not in file.imagej_metadata
        assert 65009 not in file.pages.first.tags
    assert tiff.decode(data).pixel_size_nm is None


def test_pixels_that_came_from_a_message_are_written_as_they_are(
    make_frame: Callable[..., Frame],
) -> None:
    big_endian_view = np.arange(12, dtype=">u2").reshape(3, 4).astype(np.uint16)
    frame = make_frame(image=big_endian_view[:, ::-1])
    np.testing.assert_array_equal(
        tiff.decode(tiff.encode(frame)).image, big_endian_view[:, ::-1]
    )


def test_somebody_elses_tiff_is_told_from_ours() -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match=r"^the TIFF holds no frame of a session$"):
        tiff.decode(file.getvalue())
