"""Files that real microscopes wrote; skipped where there are none."""

from pathlib import Path

import numpy as np
import pytest

from streamer.errors import StackError
from streamer.frame import Stream
from streamer.stacks import open_stack

STREAM = Stream("5f0c", "file", "HAADF")


@pytest.mark.parametrize(
    ("name", "frames", "shape", "dtype"),
    [
        ("series/Si3C6_7-77.npy", 42, (256, 256), "float32"),
        ("series/Si1C4_53-64.npy", 9, (256, 256), "float32"),
        ("graphene/G-GrainBoundary-6nm.npy", 1, (512, 512), "float64"),
        ("graphene_si/G-dimSi.npy", 1, (512, 512), "float32"),
        ("mos2/MoS2_stem_Exp-000-2.npy", 1, (512, 512), "float64"),
        ("ws2/WS2.npy", 1, (1024, 1024), "uint16"),
    ],
)
def test_numpy_files_have_no_calibration(
    real_data: Path, name: str, frames: int, shape: tuple[int, int], dtype: str
) -> None:
    expected = np.load(real_data / name).reshape(frames, *shape)
    with open_stack(real_data / name) as stack:
        assert (len(stack), stack.shape, stack.dtype) == (frames, shape, dtype)
        assert stack.pixel_size_nm is None
        for index in {0, frames // 2, frames - 1}:
            np.testing.assert_array_equal(
                stack.frame(index, STREAM).image, expected[index]
            )


@pytest.mark.parametrize(
    ("channel", "channel_id"), [("HAADF", "a"), ("Ext", "d")], ids=["HAADF", "Ext"]
)
def test_a_nion_recording_has_its_calibration_and_channel(
    real_data: Path, channel: str, channel_id: str
) -> None:
    path = real_data / "seebic" / f"Recording_of_SuperScan_({channel}).tif"
    with open_stack(path) as stack:
        assert (len(stack), stack.shape, stack.dtype) == (5, (128, 128), "float32")
        assert (stack.channel, stack.channels) == (channel, (channel,))
        assert stack.pixel_size_nm == 0.03125
        frame = stack.frame(4, STREAM)
    # 4 nm wide, and centred on the probe's position.
    assert frame.origin_nm == (-2 + 0.015625, -2 + 0.015625)
    assert frame.dwell_time_us == pytest.approx(9.9167, abs=1e-4)
    hardware = frame.metadata["hardware_source"]
    assert isinstance(hardware, dict)
    assert hardware["channel_id"] == channel_id
    assert hardware["hardware_source_id"] == "superscan"
    # Its time axis has no unit.
    assert frame.start_ns is None
    assert np.isfinite(frame.image).all()


def test_an_image_that_went_through_imagej_keeps_its_scale(real_data: Path) -> None:
    path = real_data / "wsse" / "Partially_SuperScan_(HAADF)_14_corrected.tif"
    with open_stack(path) as stack:
        assert (len(stack), stack.shape, stack.dtype) == (1, (512, 512), "uint8")
        assert stack.pixel_size_nm == 0.015625
        assert stack.frame(0, STREAM).image.mean() == pytest.approx(37.989, abs=1e-3)


def test_an_archive_with_two_images_asks_which(real_data: Path) -> None:
    path = real_data / "sim" / "nsr_test_data_1.npz"
    with pytest.raises(StackError, match=r"2 arrays .*: image, density; name one"):
        open_stack(path)
    with open_stack(path, channel="image", pixel_size_nm=0.0078125) as stack:
        assert (len(stack), stack.shape) == (1, (512, 512))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("coords/G-coordinates-clean.npy", "holds texts; a frame holds real numbers$"),
        ("mos2/example_Se_implanted_MoS2.dm3", "“.dm3” cannot be read; supported are"),
        ("seebic/Recording_of_SuperScan_(HAADF)_data.csv", "“.csv” cannot be read"),
    ],
)
def test_what_is_no_stack_is_refused(real_data: Path, name: str, reason: str) -> None:
    with pytest.raises(StackError, match=reason):
        open_stack(real_data / name)
