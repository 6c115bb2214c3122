import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from streamer.errors import StackError
from streamer.frame import DTYPES, Completeness, Frame, Stream
from streamer.stacks import open_stack, write_tiff_stack
from streamer.stacks.tiff_writer import MAX_CLASSIC_BYTES

STREAM = Stream("5f0c", "simulator", "HAADF")
PERIOD_NS = 33_500_000_000


def frames(
    count: int, dtype: str = "float32", shape: tuple[int, int] = (9, 12)
) -> Iterator[Frame]:
    for seq in range(count):
        pixels = np.arange(shape[0] * shape[1]).reshape(shape) % 100 + seq
        yield Frame(
            stream=STREAM,
            seq=seq,
            image=pixels.astype(dtype),
            pixel_size_nm=0.015637,
            origin_nm=(0.25, -1.5),
            start_ns=1_700_000_000_000_000_001 + seq * PERIOD_NS,
            end_ns=1_700_000_000_000_000_001 + (seq + 1) * PERIOD_NS - 7,
            dwell_time_us=31.947,
            dose_e_nm2=1.64e7 + seq,
            completeness=Completeness.ABORTED if seq == 2 else Completeness.COMPLETE,
            valid_rows=5 if seq == 2 else shape[0],
            metadata={"seed": seq, "note": "Ä"},
        )


@pytest.mark.parametrize("dtype", sorted(DTYPES, key=str), ids=str)
@pytest.mark.parametrize("count", [1, 4])
def test_a_movie_comes_back_exactly(tmp_path: Path, count: int, dtype: str) -> None:
    path = tmp_path / "movie.tif"
    write_tiff_stack(path, frames(count, dtype), count)
    replayed = Stream("77aa", "movie.tif", "HAADF")
    with open_stack(path) as stack:
        assert len(stack) == count
        assert (stack.channel, stack.channels) == ("HAADF", ("HAADF",))
        for frame in frames(count, dtype):
            found = stack.frame(frame.seq, replayed)
            assert found.image.dtype == frame.image.dtype
            np.testing.assert_array_equal(found.image, frame.image)
            expected = replace(frame, stream=replayed)
            for name in set(Frame.__dataclass_fields__) - {"image"}:
                assert getattr(found, name) == getattr(expected, name), name


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_imagej_plays_it_with_its_calibration(tmp_path: Path, dtype: str) -> None:
    write_tiff_stack(tmp_path / "movie.tif", frames(4, dtype), 4)
    with tifffile.TiffFile(tmp_path / "movie.tif") as file:
        assert file.series[0].axes == "TYX"
        assert file.imagej_metadata["frames"] == 4
        assert file.imagej_metadata["unit"] == "nm"
        assert file.imagej_metadata["finterval"] == 33.5
        across, _ = file.pages.first.resolution
    assert across == pytest.approx(1 / 0.015637)


def test_the_given_pixel_size_holds_over_the_frames_own(tmp_path: Path) -> None:
    write_tiff_stack(tmp_path / "movie.tif", frames(2), 2)
    with open_stack(tmp_path / "movie.tif", pixel_size_nm=0.5) as stack:
        assert stack.frame(1, STREAM).pixel_size_nm == 0.5


@pytest.mark.parametrize("suffix", [".tif", ".tiff"])
def test_a_file_is_there_when_it_is_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"movie{suffix}"
    path.write_bytes(b"an older one")

    def pulled_out() -> Iterator[Frame]:
        yield from frames(2)
        assert path.read_bytes() == b"an older one"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_tiff_stack(path, pulled_out(), 9)
    assert path.read_bytes() == b"an older one"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("came", "announced", "reason"),
    [
        (0, 3, "a stack needs at least one frame"),
        (2, 3, "2 frames came of 3 that were announced"),
        (4, 3, "more than the 3 frames that were announced"),
    ],
)
def test_another_number_of_frames_is_refused(
    tmp_path: Path, dtype: str, came: int, announced: int, reason: str
) -> None:
    path = tmp_path / "movie.tif"
    with pytest.raises(StackError, match=f"^{re.escape(f'{path}: {reason}')}$"):
        write_tiff_stack(path, frames(came, dtype), announced)
    assert list(tmp_path.iterdir()) == []


def test_frames_of_another_kind_are_refused(tmp_path: Path) -> None:
    first, second = frames(2)
    path = tmp_path / "movie.tif"
    for other in (
        replace(second, image=second.image.astype(np.uint16)),
        replace(second, image=second.image[:5], valid_rows=5),
    ):
        with pytest.raises(StackError, match=r"movie.tif: frame 1 has .* all must be"):
            write_tiff_stack(path, iter([first, other]), 2)


def test_a_place_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "movie.tif"
    with pytest.raises(StackError, match=r"movie.tif.*No such file or directory$"):
        write_tiff_stack(path, frames(1), 1)


def test_one_frame_at_a_time_is_in_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        movie = frames(40, "uint16", (512, 512))
        write_tiff_stack(tmp_path / "movie.tif", movie, 40)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A frame has 0.5 MB here, and 4 more while it is made.
    assert peak < 10e6


def test_what_is_too_large_for_tiff_becomes_bigtiff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_CLASSIC_BYTES < 2**32
    monkeypatch.setattr("streamer.stacks.tiff_writer.MAX_CLASSIC_BYTES", 100)
    write_tiff_stack(tmp_path / "movie.tif", frames(3), 3)
    with tifffile.TiffFile(tmp_path / "movie.tif") as file:
        assert file.is_bigtiff
    with open_stack(tmp_path / "movie.tif") as stack:
        assert stack.frame(2, STREAM).valid_rows == 5
