"""Nion Swift's four formats, with what they say of the microscope."""

import json
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.errors import StackError
from streamer.frame import Completeness, Frame, Stream
from streamer.stacks import open_stack

STREAM = Stream("5f0c", "file", "MAADF")
WRITTEN_NS = int(datetime(2026, 11, 22, 10, 0, 0, 250_000, UTC).timestamp() * 4) * (
    250_000_000
)

type Item = dict[str, object]
type Write = Callable[[NDArray[np.generic], Item], Path]


@pytest.fixture
def image() -> NDArray[np.float32]:
    return np.zeros((12, 16), np.float32)


def calibration(*axes: tuple[float, float, str]) -> list[dict[str, object]]:
    keys = ("offset", "scale", "units")
    return [dict(zip(keys, axis, strict=True)) for axis in axes]


def only_frame(path: Path) -> Frame:
    with open_stack(path) as stack:
        assert len(stack) == 1
        return stack.frame(0, STREAM)


def test_a_stack_has_its_calibration_origin_dwell_time_and_channel(
    nion_file: Write, nion_item: Callable[..., Item], movie: NDArray[np.float32]
) -> None:
    with open_stack(nion_file(movie, nion_item())) as stack:
        assert (stack.channel, stack.channels) == ("MAADF", ("MAADF",))
        assert stack.pixel_size_nm == 0.03125
        frame = stack.frame(1, STREAM)
    assert frame.pixel_size_nm == 0.03125
    # Nion's offset is that of the corner of the first pixel, ours of its centre.
    assert frame.origin_nm == (-3 + 0.03125 / 2, -4 + 0.03125 / 2)
    assert frame.dwell_time_us == 31.5
    assert frame.metadata["hardware_source"]["channel_id"] == "b"
    assert frame.completeness is Completeness.COMPLETE


def test_the_item_was_written_at_the_end_of_its_last_frame(
    nion_file: Write, nion_item: Callable[..., Item], movie: NDArray[np.float32]
) -> None:
    with open_stack(nion_file(movie, nion_item())) as stack:
        frames = [stack.frame(index, STREAM) for index in range(3)]
    ends = [WRITTEN_NS - 67_000_000_000, WRITTEN_NS - 33_500_000_000, WRITTEN_NS]
    assert [frame.end_ns for frame in frames] == ends
    assert [frame.start_ns for frame in frames] == [
        end_ns - 33_000_000_000 for end_ns in ends
    ]


def test_a_stack_that_is_not_calibrated_in_time_has_no_times(
    ndata_file: Write, nion_item: Callable[..., Item], movie: NDArray[np.float32]
) -> None:
    axes = calibration((0, 1, ""), (0, 0.1, "nm"), (0, 0.1, "nm"))
    path = ndata_file(movie, nion_item(dimensional_calibrations=axes))
    with open_stack(path) as stack:
        for index in range(3):
            frame = stack.frame(index, STREAM)
            assert (frame.start_ns, frame.end_ns) == (None, None)


def test_a_single_image_has_its_times(
    ndata_file: Write, nion_item: Callable[..., Item], image: NDArray[np.float32]
) -> None:
    axes = calibration((-4, 0.1, "nm"), (-3, 0.1, "nm"))
    item = nion_item(dimensional_calibrations=axes, is_sequence=False)
    frame = only_frame(ndata_file(image, item))
    assert frame.end_ns == WRITTEN_NS
    assert frame.start_ns == WRITTEN_NS - 33_000_000_000


def test_a_scan_that_was_broken_off_says_so(
    ndata_file: Write, nion_item: Callable[..., Item], image: NDArray[np.float32]
) -> None:
    item = nion_item(is_sequence=False, metadata={"hardware_source": {"valid_rows": 7}})
    frame = only_frame(ndata_file(image, item))
    assert (frame.completeness, frame.valid_rows) == (Completeness.ABORTED, 7)


@pytest.mark.parametrize(
    ("scale", "units", "nm"),
    [
        (0.5, "nm", 0.5),
        (50.0, "pm", 0.05),
        (2e-4, "um", 0.2),
        (2e-4, "µm", 0.2),  # MICRO SIGN
        (2e-4, "\u03bcm", 0.2),
        (1.5, "Å", 0.15),
        (1.5, "\u212b", 0.15),
        (1.5, "A", 0.15),
        (1e-10, "m", 0.1),
        (0.5, "", None),
        (0.5, "s", None),
        (0.5, "1/nm", None),
        (0.0, "nm", None),
        (-0.5, "nm", None),
        (float("nan"), "nm", None),
        (float("inf"), "nm", None),
    ],
)
def test_units_become_nm_or_the_pixel_size_is_unknown(
    ndata_file: Write,
    nion_item: Callable[..., Item],
    image: NDArray[np.float32],
    scale: float,
    units: str,
    nm: float | None,
) -> None:
    item = nion_item(
        is_sequence=False,
        dimensional_calibrations=calibration((0, scale, units), (0, scale, units)),
        metadata={"hardware_source": {}},
    )
    found = only_frame(ndata_file(image, item)).pixel_size_nm
    assert found == (nm if nm is None else pytest.approx(nm, rel=1e-12))


def test_a_microscope_that_says_nothing_is_no_obstacle(
    nion_file: Write, image: NDArray[np.float32]
) -> None:
    bare = {
        "dimensional_calibrations": [],
        "is_sequence": False,
        "collection_dimension_count": 0,
        "datum_dimension_count": 2,
        "metadata": {"hardware_source": {}},
    }
    path = nion_file(image, bare)
    frame = only_frame(path)
    assert frame.pixel_size_nm is None
    assert (frame.origin_nm, frame.dwell_time_us) == ((0.0, 0.0), None)
    with open_stack(path, channel="ADF") as stack:
        assert stack.channel == "ADF"


def test_the_field_of_view_stands_in_for_a_calibration_in_time(
    tmp_path: Path, nion_item: Callable[..., Item], image: NDArray[np.float32]
) -> None:
    for name, scan, nm in [
        ("whole", {"fov_nm": 8.0}, 0.5),
        ("part", {"fov_nm": 8.0, "subscan_fractional_size": [0.5, 0.5]}, None),
    ]:
        item = nion_item(
            dimensional_calibrations=calibration((0, 5e-4, "s"), (0, 3e-5, "s")),
            is_sequence=False,
            metadata={"scan": scan},
        )
        path = tmp_path / f"{name}.h5"
        with h5py.File(path, "w") as file:
            file["data"] = image
            file["data"].attrs["properties"] = json.dumps(item)
        assert only_frame(path).pixel_size_nm == nm


def test_pixels_that_are_not_square_are_refused_unless_their_size_is_given(
    ndata_file: Write, nion_item: Callable[..., Item], image: NDArray[np.float32]
) -> None:
    def with_sides(height: float, width: float) -> Path:
        axes = calibration((0, height, "nm"), (0, width, "nm"))
        item = nion_item(is_sequence=False, dimensional_calibrations=axes)
        return ndata_file(image, item)

    assert only_frame(with_sides(0.1, 0.1005)).pixel_size_nm == 0.10025
    path = with_sides(0.1, 0.102)
    line = (
        f"{path.name} has pixels of 0.1 x 0.102 nm (height x width); "
        "only square pixels are supported"
    )
    with pytest.raises(StackError, match=f"^{re.escape(line)}$"):
        open_stack(path)
    with open_stack(path, pixel_size_nm=0.1) as stack:
        assert stack.frame(0, STREAM).pixel_size_nm == 0.1
    with open_stack(path, oblong_as_unknown=True) as stack:
        assert stack.frame(0, STREAM).pixel_size_nm is None
    with open_stack(with_sides(0.1, 0.1005), oblong_as_unknown=True) as stack:
        assert stack.frame(0, STREAM).pixel_size_nm == 0.10025


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"datum_dimension_count": 1}, "holds 1-dimensional data; a frame has 2"),
        ({"collection_dimension_count": 1}, "holds images along 2 axes; a stack has"),
    ],
)
def test_spectra_and_maps_of_images_are_refused(
    ndata_file: Write,
    nion_item: Callable[..., Item],
    movie: NDArray[np.float32],
    changes: Item,
    reason: str,
) -> None:
    path = ndata_file(movie, nion_item(**changes))
    with pytest.raises(StackError, match=f"^{path.name} {reason}"):
        open_stack(path)


def test_another_channel_than_the_files_is_refused(
    nion_file: Write, nion_item: Callable[..., Item], movie: NDArray[np.float32]
) -> None:
    path = nion_file(movie, nion_item())
    with pytest.raises(
        StackError, match=f"^{path.name} has no channel “HAADF”; it has MAADF$"
    ):
        open_stack(path, channel="HAADF")
    open_stack(path, channel="maadf").close()


def test_one_item_of_an_export_with_several_is_chosen_by_its_channel(
    tmp_path: Path, nion_item: Callable[..., Item], image: NDArray[np.float32]
) -> None:
    path = tmp_path / "both.nhdf"
    with h5py.File(path, "w") as file:
        for number, channel in enumerate(["MAADF", "HAADF"]):
            item = nion_item(
                is_sequence=False,
                metadata={"hardware_source": {"channel_name": channel}},
            )
            file[f"data/{number}"] = image + number
            file[f"data/{number}"].attrs["properties"] = json.dumps(item)
    for asked, channel, value in [
        (None, "HAADF", 1),
        ("MAADF", "MAADF", 0),
        ("HAADF", "HAADF", 1),
    ]:
        with open_stack(path, channel=asked) as stack:
            assert (stack.channel, stack.channels) == (channel, ("MAADF", "HAADF"))
            assert (stack.frame(0, STREAM).image == value).all()


@pytest.mark.parametrize("left_out", ["data.npy", "metadata.json"])
def test_an_archive_that_is_no_data_item_is_refused(
    tmp_path: Path, left_out: str
) -> None:
    path = tmp_path / "a.ndata"
    with zipfile.ZipFile(path, "w") as archive:
        for name in {"data.npy", "metadata.json"} - {left_out}:
            archive.writestr(name, "{}")
    with pytest.raises(
        StackError, match=f"^a.ndata is not a Nion data item: no {left_out} in it$"
    ):
        open_stack(path)
