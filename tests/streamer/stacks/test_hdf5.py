"""HDF5 files that no known program wrote."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from streamer.errors import StackError
from streamer.frame import Stream
from streamer.stacks import open_stack

STREAM = Stream("5f0c", "file", "HAADF")
MOVIE = np.arange(3 * 8 * 9, dtype=np.int16).reshape(3, 8, 9)


def write(path: Path, fill: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "w") as file:
        fill(file)
    return path


@pytest.mark.parametrize(
    "storage",
    [
        {},
        {"chunks": (1, 8, 9), "compression": "gzip"},
        {"chunks": (2, 3, 4), "shuffle": True, "compression": "lzf"},
        {"maxshape": (None, 8, 9)},
        {"dtype": ">i2"},
    ],
    ids=["contiguous", "gzip", "lzf", "growing", "big-endian"],
)
def test_the_only_stack_is_found_wherever_it_is(
    tmp_path: Path, storage: dict[str, object]
) -> None:
    def fill(file: h5py.File) -> None:
        file["settings/gain"] = 3.0
        file["settings/positions"] = np.zeros((500, 2))
        file["run 1/detector"] = h5py.Empty("f4")
        file.create_dataset("run 1/movie", data=MOVIE, **storage)

    with open_stack(write(tmp_path / "a.h5", fill)) as stack:
        assert (len(stack), stack.channels) == (3, ("run 1/movie",))
        assert stack.pixel_size_nm is None
        np.testing.assert_array_equal(stack.frame(2, STREAM).image, MOVIE[2])


def test_a_single_image_is_a_stack_of_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.hdf5", lambda file: file.update(image=MOVIE[1]))
    with open_stack(path, pixel_size_nm=0.1) as stack:
        assert len(stack) == 1
        assert stack.frame(0, STREAM).pixel_size_nm == 0.1
        np.testing.assert_array_equal(stack.frame(0, STREAM).image, MOVIE[1])


def test_of_several_one_is_named(tmp_path: Path) -> None:
    def fill(file: h5py.File) -> None:
        file["HAADF"] = MOVIE
        file["detectors/BF"] = MOVIE + 1

    path = write(tmp_path / "a.h5", fill)
    with pytest.raises(
        StackError,
        match=r"^a.h5 has 2 arrays that could be the frames: HAADF, detectors/BF; "
        r"name one as the channel$",
    ):
        open_stack(path)
    with open_stack(path, channel="detectors/BF") as stack:
        assert stack.channel == "detectors/BF"
        assert stack.frame(0, STREAM).image[0, 0] == 1


def test_a_file_without_images_says_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", lambda file: file.update(gain=np.zeros(5)))
    with pytest.raises(StackError, match=r"^a.h5 holds no images; it has gain$"):
        open_stack(path)


def test_a_file_that_only_has_the_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_text("hello there")
    with pytest.raises(StackError, match=r"^a.h5 is not an HDF5 file$"):
        open_stack(tmp_path / "a.h5")


def test_numbers_that_are_kept_in_another_file_are_not_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(64)))

    def outside(file: h5py.File) -> None:
        file.create_dataset("a", (8, 8), "u1", external=[(str(secret), 0, 64)])

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((8, 8), "u1")
        layout[:] = h5py.VirtualSource(str(secret), "a", (8, 8), "u1")
        file.create_virtual_dataset("a", layout)

    for fill in (outside, virtual):
        path = write(tmp_path / "a.h5", fill)
        with pytest.raises(
            StackError, match=r"^a.h5 keeps its numbers in other files; give those$"
        ):
            open_stack(path)


def test_a_file_that_announces_far_more_than_it_holds_is_refused(
    tmp_path: Path,
) -> None:
    def fill(file: h5py.File) -> None:
        shape = (10**6, 4096, 4096)
        file.create_dataset("a", shape, "f8", chunks=(1, 64, 64))

    path = write(tmp_path / "a.h5", fill)
    with pytest.raises(
        StackError, match=r"^a.h5 announces 134217728000000 bytes of numbers and hol"
    ):
        open_stack(path)
