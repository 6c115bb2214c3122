"""TIFF files of other programs."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from streamer.errors import StackError
from streamer.frame import Stream
from streamer.stacks import open_stack

STREAM = Stream("5f0c", "file", "HAADF")


def numbers(*shape: int) -> NDArray[np.float32]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("unit", "per_unit", "nm"),
    [
        ("nm", 64, 0.015625),
        ("micron", 64_000, 0.015625),
        ("\\u00B5m", 64_000, 0.015625),
        ("A", 6.4, 0.015625),
        ("pixel", 64, None),
        ("inch", 300, 2.54e7 / 300),
    ],
)
def test_imagej_says_its_unit(
    tmp_path: Path, unit: str, per_unit: float, nm: float | None
) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        numbers(8, 9),
        imagej=True,
        resolution=(per_unit, per_unit),
        metadata={"unit": unit},
    )
    with open_stack(tmp_path / "a.tif") as stack:
        if nm is None:
            assert stack.pixel_size_nm is None
        else:
            assert stack.pixel_size_nm == pytest.approx(nm, rel=1e-6)


def test_imagej_counts_its_origin_from_the_corner_of_the_first_pixel(
    tmp_path: Path,
) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        numbers(8, 9),
        imagej=True,
        resolution=(10, 10),
        metadata={"unit": "nm", "xorigin": 4.5, "yorigin": 4},
    )
    with open_stack(tmp_path / "a.tif") as stack:
        x, y = stack.frame(0, STREAM).origin_nm
    assert (x, y) == (pytest.approx(-0.4), pytest.approx(-0.35))


@pytest.mark.parametrize(
    ("per_unit", "unit", "nm"),
    [
        (6.4e8, "CENTIMETER", 0.015625),
        (72, "INCH", None),
        (300, "INCH", None),
        (118, "CENTIMETER", None),
        (1, "NONE", None),
    ],
)
def test_a_printers_resolution_is_no_calibration(
    tmp_path: Path, per_unit: float, unit: str, nm: float | None
) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        numbers(8, 9),
        resolution=(per_unit, per_unit),
        resolutionunit=unit,
        photometric="minisblack",
    )
    with open_stack(tmp_path / "a.tif") as stack:
        assert stack.pixel_size_nm == (None if nm is None else pytest.approx(nm))


def test_ome_says_its_sizes_and_channels(tmp_path: Path) -> None:
    array = numbers(3, 2, 8, 9)
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        array,
        photometric="minisblack",
        metadata={
            "axes": "TCYX",
            "PhysicalSizeX": 2e-5,
            "PhysicalSizeY": 0.02,
            "PhysicalSizeYUnit": "nm",
            "Channel": {"Name": ["BF", "HAADF"]},
        },
    )
    for asked, channel, place in [(None, "HAADF", 1), ("bf", "BF", 0)]:
        with open_stack(tmp_path / "a.ome.tif", channel=asked) as stack:
            assert (stack.channel, stack.channels) == (channel, ("BF", "HAADF"))
            assert len(stack) == 3
            assert stack.pixel_size_nm == pytest.approx(0.02)
            for index in range(3):
                np.testing.assert_array_equal(
                    stack.frame(index, STREAM).image, array[index, place]
                )


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("axes", "shape", "frames", "channels"),
    [
        ("YX", (8, 9), 1, ()),
        ("TYX", (4, 8, 9), 4, ()),
        ("ZYX", (4, 8, 9), 4, ()),
        ("CYX", (2, 8, 9), 1, ("1", "2")),
        ("TCYX", (4, 2, 8, 9), 4, ("1", "2")),
        ("ZCYX", (4, 2, 8, 9), 4, ("1", "2")),
    ],
)
def test_the_axes_say_what_counts_frames_and_channels(
    tmp_path: Path,
    axes: str,
    shape: tuple[int, ...],
    frames: int,
    channels: tuple[str, ...],
    compression: str | None,
) -> None:
    array = numbers(*shape)
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, array, imagej=True, metadata={"axes": axes}, compression=compression
    )
    expected = array.reshape(frames, max(1, len(channels)), 8, 9)
    for place, channel in enumerate(channels or (None,)):
        with open_stack(path, channel=channel) as stack:
            assert (len(stack), stack.channels) == (frames, channels)
            for index in range(frames):
                np.testing.assert_array_equal(
                    stack.frame(index, STREAM).image, expected[index, place]
                )


def test_two_axes_that_could_count_frames_are_refused(tmp_path: Path) -> None:
    array = numbers(2, 3, 8, 9)
    tifffile.imwrite(tmp_path / "a.tif", array, imagej=True, metadata={"axes": "TZYX"})
    line = (
        "a.tif has the axes TZYX of lengths (2, 3, 8, 9); a stack has one axis of "
        "frames, one of channels (C), rows and columns"
    )
    with pytest.raises(StackError, match=f"^{re.escape(line)}$"):
        open_stack(tmp_path / "a.tif")


@pytest.mark.parametrize("shape", [(8, 9, 3), (2, 8, 9, 3), (8, 9, 4)])
def test_colour_images_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.zeros(shape, np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb")
    with pytest.raises(
        StackError, match=r"^a.tif holds colour images; a frame has one value a pixel$"
    ):
        open_stack(tmp_path / "a.tif")


def test_black_and_white_images_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 9), bool))
    with pytest.raises(StackError, match=r"^a.tif holds booleans; a frame holds real"):
        open_stack(tmp_path / "a.tif")


def test_images_of_different_sizes_are_refused_and_not_left_out(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(numbers(8, 9), photometric="minisblack")
        writer.write(numbers(5, 6), photometric="minisblack")
    with pytest.raises(
        StackError,
        match=r"^a.tif holds images of different kinds: \(8, 9\), \(5, 6\)$",
    ):
        open_stack(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "metadata",
    [None, {"axes": "TYX"}, {"axes": "TYX", "unit": "nm"}],
    ids=["plain", "tifffile", "imagej"],
)
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_of_a_file_that_is_cut_short_no_frame_is_left_out(
    tmp_path: Path, compression: str | None, metadata: dict[str, str] | None
) -> None:
    path, array = tmp_path / "a.tif", numbers(4, 8, 9)
    tifffile.imwrite(
        path,
        array,
        imagej="unit" in (metadata or {}),
        photometric="minisblack",
        compression=compression,
        metadata=metadata,
    )
    whole = path.read_bytes()
    refused = 0
    for length in range(0, len(whole), 5):
        path.write_bytes(whole[:length])
        try:
            with open_stack(path) as stack:
                images = [stack.frame(i, STREAM).image for i in range(len(stack))]
        except StackError:
            refused += 1
        else:
            # What was cut off told nothing new of the images.
            np.testing.assert_array_equal(images, array)
    assert refused > len(whole) / 5 / 2


def forget_all_but_the_first(path: Path) -> None:
    """Make the first image's directory the only one, as ImageJ does in large files."""
    with tifffile.TiffFile(path) as file:
        entries = len(file.pages.first.tags)
        end = file.pages.first.offset + 2 + 12 * entries
    data = bytearray(path.read_bytes())
    data[end : end + 4] = bytes(4)
    path.write_bytes(data)


def test_imagej_stacks_with_one_directory_for_all_images_are_read(
    tmp_path: Path,
) -> None:
    path, array = tmp_path / "a.tif", numbers(4, 8, 9)
    tifffile.imwrite(path, array, imagej=True, metadata={"axes": "TYX"})
    forget_all_but_the_first(path)
    with open_stack(path) as stack:
        assert len(stack) == 4
        np.testing.assert_array_equal(stack.frame(3, STREAM).image, array[3])
        place = path.read_bytes().index(array[3].tobytes())
    path.write_bytes(path.read_bytes()[: place + 100])
    with pytest.raises(StackError, match=r"^a.tif is cut short: 4 images were an"):
        open_stack(path)


def test_images_whose_numbers_are_not_all_there_are_missed(tmp_path: Path) -> None:
    path, array = tmp_path / "a.tif", numbers(4, 8, 9)
    tifffile.imwrite(path, array, metadata={"axes": "TYX"}, photometric="minisblack")
    forget_all_but_the_first(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(array[3].tobytes()) + 100])
    with pytest.raises(
        StackError, match=r"^a.tif is cut short: 188 bytes are missing$"
    ):
        open_stack(path)


def test_images_that_were_announced_and_are_not_there_are_missed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tif"
    array = numbers(4, 8, 9)
    tifffile.imwrite(
        path, array, imagej=True, metadata={"axes": "TYX"}, compression="zlib"
    )
    forget_all_but_the_first(path)
    with pytest.raises(
        StackError,
        match=r"^a.tif is cut short: 4 images were announced, 1 are there$",
    ):
        open_stack(path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_either_byte_order_is_read(tmp_path: Path, order: str) -> None:
    array = numbers(2, 8, 9).astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", array, byteorder=order, photometric="minisblack"
    )
    with open_stack(tmp_path / "a.tif") as stack:
        image = stack.frame(1, STREAM).image
    assert image.dtype == np.dtype(np.uint16)
    np.testing.assert_array_equal(image, array[1])
