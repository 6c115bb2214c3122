"""Every format through the one door, and what does not come in."""

import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from streamer.errors import FrameError, StackError
from streamer.frame import Stream
from streamer.stacks import open_stack

STREAM = Stream("5f0c", "file", "HAADF")


def refusal(line: str) -> "pytest.RaisesExc[StackError]":
    return pytest.raises(StackError, match=f"^{re.escape(line)}$")


def test_every_format_gives_the_same_frames(
    every_file: dict[str, Path], movie: NDArray[np.float32]
) -> None:
    for name, path in every_file.items():
        with open_stack(path) as stack:
            assert (len(stack), stack.shape, stack.dtype) == (3, (12, 16), np.float32)
            assert stack.source == name
            for index in (2, 0, 1):
                frame = stack.frame(index, STREAM)
                assert (frame.stream, frame.seq) == (STREAM, index)
                np.testing.assert_array_equal(frame.image, movie[index], name)


def test_the_pixel_size_that_is_given_holds(every_file: dict[str, Path]) -> None:
    for path in every_file.values():
        with open_stack(path, pixel_size_nm=0.5) as stack:
            assert stack.pixel_size_nm == 0.5
            assert stack.frame(0, STREAM).pixel_size_nm == 0.5


def test_the_name_of_the_channel_is_taken_where_the_file_has_none(
    every_file: dict[str, Path],
) -> None:
    with open_stack(every_file["plain.npy"], channel="BF") as stack:
        assert (stack.channel, stack.channels) == ("BF", ())
    with open_stack(every_file["plain.npy"]) as stack:
        assert stack.channel == "unknown"


def test_there_are_no_frames_beyond_the_last(every_file: dict[str, Path]) -> None:
    with open_stack(every_file["plain.npy"]) as stack:
        for index in (-1, 3):
            with pytest.raises(IndexError, match=f"frame {index} of plain.npy"):
                stack.frame(index, STREAM)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_files_are_closed_also_when_they_are_refused(
    every_file: dict[str, Path],
) -> None:
    before = open_files()
    for path in every_file.values():
        open_stack(path).close()
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        with pytest.raises(StackError):
            open_and_read(path)
    assert open_files() == before


def open_and_read(path: Path) -> None:
    with open_stack(path) as stack:
        for index in range(len(stack)):
            stack.frame(index, STREAM)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "movie.tif"
    with refusal(f"{path} does not exist"):
        open_stack(path)


@pytest.mark.parametrize("name", ["movie.dm3", "movie.dm4", "movie.emd", "notes.txt"])
def test_a_format_that_cannot_be_read_is_refused_with_those_that_can(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.touch()
    with refusal(
        f"{name}: “{path.suffix}” cannot be read; supported are .tif, .tiff, .npy, "
        ".npz, .ndata, .h5, .hdf5, .nhdf and the folder of a session"
    ):
        open_stack(path)


def test_a_zarr_folder_is_refused_as_a_format(tmp_path: Path) -> None:
    path = tmp_path / "movie.zarr"
    path.mkdir()
    with pytest.raises(StackError, match=r"^movie.zarr: “.zarr” cannot be read; "):
        open_stack(path)


def test_a_folder_that_is_no_session_is_refused(tmp_path: Path) -> None:
    with refusal(f"{tmp_path} is a folder but not a session: it has no session.sqlite"):
        open_stack(tmp_path)


def test_a_folder_with_a_files_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "movie.tif"
    path.mkdir()
    with refusal(f"{path} is not a file"):
        open_stack(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "movie.npy"
    os.mkfifo(path)
    with refusal(f"{path} is not a file"):
        open_stack(path)
    with socket.socket(socket.AF_UNIX) as peer:
        peer.bind(str(tmp_path / "socket.npy"))
        with refusal(f"{tmp_path / 'socket.npy'} is not a file"):
            open_stack(tmp_path / "socket.npy")


@pytest.mark.parametrize(
    ("content", "suffixes"),
    [
        (b"", (".tif", ".npy", ".npz", ".ndata", ".h5", ".nhdf")),
        (b"just a text\n" * 50, (".tif", ".npy", ".npz", ".ndata", ".h5", ".nhdf")),
    ],
    ids=["empty", "text"],
)
def test_a_file_that_is_not_what_its_name_says_is_one_line(
    tmp_path: Path, content: bytes, suffixes: tuple[str, ...]
) -> None:
    for suffix in suffixes:
        path = tmp_path / f"movie{suffix}"
        path.write_bytes(content)
        with pytest.raises(StackError, match=rf"movie{suffix}[^\n]*$"):
            open_stack(path)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((8, 8), complex), "holds complex numbers; a frame holds real"),
        (np.zeros((8, 8), bool), "holds booleans; a frame holds real numbers"),
        (np.zeros((8, 8), "U3"), "holds texts; a frame holds real numbers"),
        (np.zeros((8, 8), [("x", "f4")]), "holds records; a frame holds real"),
        (np.zeros((8, 8), "M8[s]"), "holds dates; a frame holds real numbers"),
        (np.zeros((8, 8), np.longdouble), "holds numbers of more than 64 bits; a "),
        (np.array([[None] * 8] * 8), "holds Python objects; a frame holds real"),
        (np.float32(1), r"holds an array of 0 dimensions \(\); expected 2 "),
        (np.zeros(64), r"holds an array of 1 dimensions \(64,\); expected 2 "),
        (np.zeros((2, 2, 8, 8)), r"holds an array of 4 dimensions \(2, 2, 8, 8\)"),
        (np.zeros((8, 9, 3)), r"holds a colour image \(8, 9, 3\); a frame has one"),
        (np.zeros((8, 9, 4), np.uint8), r"holds a colour image \(8, 9, 4\)"),
        (np.zeros((0, 8, 8)), "holds no frames$"),
        (np.zeros((8, 0)), "holds images of 8 x 0 pixels; sides of 1 to 16384 are"),
        (np.zeros((1, 20_000), np.uint8), "holds images of 1 x 20000 pixels; sides"),
    ],
    ids=[
        "complex", "bool", "text", "records", "dates", "long double", "objects",
        "0-d", "1-d", "4-d", "RGB", "RGBA", "no frames", "no columns", "too large",
    ],
)  # fmt: skip
def test_an_array_that_is_no_stack_of_images_is_refused(
    tmp_path: Path, array: NDArray[np.generic], reason: str
) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(StackError, match=f"^a.npy {reason}"):
        open_stack(tmp_path / "a.npy")


@pytest.mark.parametrize("suffix", [".npy", ".tif", ".hdf5"])
@pytest.mark.parametrize(
    "array",
    [
        np.full((2, 8, 9), np.nan, np.float32),
        np.zeros((2, 8, 9), np.uint16),
        np.array([[[np.inf, -np.inf] * 4] * 8] * 2, np.float32),
    ],
    ids=["NaN", "zero", "inf"],
)
def test_frames_with_nothing_in_them_pass(
    tmp_path: Path, array: NDArray[np.generic], suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    elif suffix == ".tif":
        tifffile.imwrite(path, array, photometric="minisblack")
    else:
        with h5py.File(path, "w") as file:
            file["a"] = array
    with open_stack(path) as stack:
        np.testing.assert_array_equal(stack.frame(1, STREAM).image, array[1])


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), float("inf")])
def test_a_pixel_size_that_cannot_be_one_is_refused(
    every_file: dict[str, Path], size: float
) -> None:
    with pytest.raises(FrameError, match="a pixel size of"):
        open_stack(every_file["plain.npy"], pixel_size_nm=size)


def test_no_permission_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "movie.npy"
    np.save(path, np.zeros((8, 8)))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with refusal(f"{path} cannot be read: Permission denied"):
        open_stack(path)


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    "write",
    [
        lambda path, stack: np.save(path.with_suffix(".npy"), stack),
        lambda path, stack: np.savez(path.with_suffix(".npz"), stack),
        lambda path, stack: tifffile.imwrite(path.with_suffix(".tif"), stack),
        lambda path, stack: h5py.File(path.with_suffix(".h5"), "w").update(a=stack),
    ],
    ids=["npy", "npz", "tif", "h5"],
)
def test_a_long_stack_is_not_read_whole(
    tmp_path: Path, write: Callable[[Path, NDArray[np.generic]], object]
) -> None:
    write(tmp_path / "a", np.zeros((50, 512, 512), np.uint16))
    (path,) = tmp_path.iterdir()
    before = resident_bytes()
    with open_stack(path) as stack:
        for index in (0, 25, 49):
            stack.frame(index, STREAM)
        assert resident_bytes() - before < 10e6
