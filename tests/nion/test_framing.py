"""What one event says, as a frame: units, times, rows, words."""

import math
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from atomstream_bridge.framing import frame_of, own_rows
from atomstream_bridge.runs import Place
from atomstream_bridge.update import plain, read_update
from streamer.frame import Completeness, Frame, Stream
from streamer.wire import pack

COMPLETE, PARTIAL, ABORTED = Completeness
STREAM = Stream("s", "microscope", "HAADF")
NOON_NS = 1_767_268_800_000_000_000
"""2026-01-01 12:00 UTC."""


def event(
    scale: float = 0.5, units: str = "nm", scan: dict[str, Any] | None = None
) -> tuple[Any, Any]:
    """As Nion Swift fires it for a frame of 8 x 8 pixels, of which 4 rows are there."""
    axis = SimpleNamespace(offset=-4 * scale, scale=scale, units=units)
    args = SimpleNamespace(
        channel_id="a", data_channel_id="a", name="HAADF", state="complete"
    )
    hardware = {"exposure": 2.0, "pixel_time_us": 31.25, "valid_rows": 4}
    xdata = SimpleNamespace(
        data=np.arange(64, dtype=np.float32).reshape(8, 8),
        data_shape=(8, 8),
        dimensional_calibrations=(axis, axis),
        timestamp=datetime(2026, 1, 1, 12),
        metadata={"hardware_source": hardware, "scan": scan or {}},
    )
    return args, xdata


def sent(
    args: Any, xdata: Any, completeness: Completeness = COMPLETE, rows: int = 8
) -> Frame:
    place = Place(STREAM, 0, completeness, rows)
    frame = frame_of(place, read_update(args, xdata), own_rows(xdata.data, place))
    pack(frame, 0)  # what is sent can be read
    return frame


@pytest.mark.parametrize(
    ("scale", "units", "pixel_nm"),
    [
        (0.5, "nm", 0.5),
        (500.0, "pm", 0.5),
        (5.0, "Å", 0.5),
        (0.0005, "µm", 0.5),
        (0.0005, "μm", 0.5),
        (5e-10, "m", 0.5),
    ],
)
def test_a_calibration_is_in_nm_whatever_its_unit(
    scale: float, units: str, pixel_nm: float
) -> None:
    frame = sent(*event(scale, units))
    assert frame.pixel_size_nm == pytest.approx(pixel_nm)
    # Nion's offset is that of the corner, ours of the pixel's centre.
    assert frame.origin_nm == pytest.approx((-1.75, -1.75))


def test_calibrated_in_time_the_field_of_view_tells_the_pixel() -> None:
    assert sent(*event(3e-5, "s", {"fov_nm": 16.0})).pixel_size_nm == 2.0
    assert sent(*event(3e-5, "s")).pixel_size_nm is None


def test_pixels_that_are_not_square_have_no_size() -> None:
    args, xdata = event()
    wide = SimpleNamespace(offset=0.0, scale=1.0, units="nm")
    xdata.dimensional_calibrations = (xdata.dimensional_calibrations[0], wide)
    assert sent(args, xdata).pixel_size_nm is None


@pytest.mark.parametrize(
    ("completeness", "rows", "lasted_s"),
    [(COMPLETE, 8, 2.0), (PARTIAL, 4, 1.0), (ABORTED, 2, 0.5)],
)
def test_times_end_with_the_delivery_and_last_as_long_as_its_rows(
    completeness: Completeness, rows: int, lasted_s: float
) -> None:
    frame = sent(*event(), completeness, rows)
    assert frame.end_ns == NOON_NS
    assert frame.start_ns == NOON_NS - round(lasted_s * 1e9)
    assert (frame.completeness, frame.valid_rows) == (completeness, rows)
    assert frame.dwell_time_us == 31.25


def test_the_memory_of_the_microscope_is_copied_and_of_a_part_its_own_rows() -> None:
    args, xdata = event()
    data = xdata.data.copy()
    whole, part = sent(args, xdata), sent(args, xdata, PARTIAL, 3)
    xdata.data[:] = -1
    np.testing.assert_array_equal(whole.image, data)
    np.testing.assert_array_equal(part.image[:3], data[:3])
    assert not part.image[3:].any()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        ((1, (2.0, "x")), [1, [2.0, "x"]]),
        ({1: {"a": None}}, {"1": {"a": None}}),
        (datetime(2026, 1, 1), "2026-01-01 00:00:00"),
        ({1, 2} - {2}, "{1}"),
    ],
)
def test_the_instruments_words_become_those_of_json(
    value: object, said: object
) -> None:
    assert plain(value) == said


def test_words_without_end_do_not_keep_a_frame_from_being_sent() -> None:
    args, xdata = event()
    endless: dict[str, Any] = {}
    endless["again"] = endless
    xdata.metadata["instrument"] = endless
    assert sent(args, xdata).image.shape == (8, 8)
    xdata.metadata["instrument"] = {"text": "x" * 100_000, "nan": math.nan}
    assert "left_out" in sent(args, xdata).metadata
