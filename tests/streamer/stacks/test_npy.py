import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from streamer.errors import StackError
from streamer.frame import DTYPES, Stream
from streamer.stacks import open_stack

STREAM = Stream("5f0c", "file", "HAADF")


def numbers(*shape: int) -> NDArray[np.float32]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def images(path: Path, channel: str | None = None) -> list[NDArray[np.generic]]:
    with open_stack(path, channel=channel) as stack:
        return [stack.frame(index, STREAM).image for index in range(len(stack))]


@pytest.mark.parametrize("dtype", sorted(DTYPES, key=str), ids=str)
@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_of_either_byte_order_are_read(
    tmp_path: Path, dtype: np.dtype[np.generic], order: str
) -> None:
    array = (numbers(2, 8, 9) % 100).astype(dtype.newbyteorder(order))
    np.save(tmp_path / "a.npy", array)
    for found, expected in zip(images(tmp_path / "a.npy"), array, strict=True):
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("compressed", [False, True], ids=["stored", "compressed"])
@pytest.mark.parametrize("shape", [(8, 9), (3, 8, 9)], ids=["image", "stack"])
@pytest.mark.parametrize("fortran", [False, True], ids=["C", "Fortran"])
def test_either_order_of_the_axes_is_read(
    tmp_path: Path, shape: tuple[int, ...], *, fortran: bool, compressed: bool
) -> None:
    array = np.asarray(numbers(*shape), order="F" if fortran else "C")
    np.save(tmp_path / "a.npy", array)
    (np.savez_compressed if compressed else np.savez)(tmp_path / "a.npz", array)
    for name in ("a.npy", "a.npz"):
        found = np.stack(images(tmp_path / name))
        np.testing.assert_array_equal(found, array.reshape(-1, 8, 9))


@pytest.mark.parametrize(
    ("wide", "narrow", "largest"),
    [("int64", "int32", 2**31 - 1), ("uint64", "uint32", 2**32 - 1)],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_64_bit_integers_are_narrowed_when_they_fit(
    tmp_path: Path, wide: str, narrow: str, largest: int, order: str
) -> None:
    array = np.zeros((2, 8, 9), np.dtype(wide).newbyteorder(order))
    array[0, 3, 4] = largest
    array[1, 3, 4] = largest + 1
    np.save(tmp_path / "a.npy", array)
    with open_stack(tmp_path / "a.npy") as stack:
        assert stack.dtype == narrow
        frame = stack.frame(0, STREAM)
        assert frame.image.dtype == narrow
        assert frame.image[3, 4] == largest
        line = (
            f"a.npy holds integers from 0 to {largest + 1}, which do not fit into "
            f"{narrow}; save it as float64"
        )
        with pytest.raises(StackError, match=f"^{re.escape(line)}$"):
            stack.frame(1, STREAM)


def test_frames_can_be_asked_for_in_any_order(tmp_path: Path) -> None:
    array = numbers(5, 8, 9)
    np.savez_compressed(tmp_path / "a.npz", array)
    with open_stack(tmp_path / "a.npz") as stack:
        for index in (4, 0, 2, 2, 1):
            image = stack.frame(index, STREAM).image
            np.testing.assert_array_equal(image, array[index])


def test_the_only_array_of_images_in_an_archive_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(
        path, positions=numbers(500, 2), sampling=numbers(1), movie=numbers(2, 8, 9)
    )
    with open_stack(path) as stack:
        assert len(stack) == 2
        assert stack.channels == ("movie",)


def test_one_of_several_arrays_is_chosen_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, image=numbers(8, 9), density=numbers(8, 9) + 1)
    with pytest.raises(
        StackError,
        match=r"^a.npz has 2 arrays that could be the frames: image, density; "
        r"name one as the channel$",
    ):
        open_stack(path)
    (density,) = images(path, "density")
    assert density[0, 0] == 1
    with pytest.raises(
        StackError, match=r"^a.npz has no array “mask”; it has image, density$"
    ):
        open_stack(path, channel="mask")


def test_an_archive_without_images_says_what_there_is(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", positions=numbers(500, 2))
    with pytest.raises(StackError, match=r"^a.npz holds no images; it has positions$"):
        open_stack(tmp_path / "a.npz")


def header(shape: tuple[int, ...], descr: str = "<f4", version: int = 1) -> bytes:
    file = io.BytesIO()
    fields = {"descr": descr, "fortran_order": False, "shape": shape}
    write = {1: npy_format.write_array_header_1_0, 2: npy_format.write_array_header_2_0}
    write.get(version, write[1])(file, fields)
    data = bytearray(file.getvalue())
    data[6] = version
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hello there\n", "a.npy is not a NumPy file: the magic string is not"),
        (b"", "a.npy is not a NumPy file: EOF: reading magic string"),
        (header((8, 9), version=3), r"a.npy is a NumPy file of version 3.0; 1.0 and"),
        (header((10**6, 1024, 1024)), r"a.npy is cut short: 4194304000000 bytes of n"),
        (header((2, 8, 9)) + bytes(575), "a.npy is cut short: 576 bytes of numbers "),
        (header((-2, 8, 9)), r"a.npy claims to hold an array of \(-2, 8, 9\)"),
        (header((8, 9), "|O"), "a.npy holds Python objects; a frame holds real"),
        (header((8, 9), "nonsense"), r"descr is not a valid dtype descriptor"),
    ],
    ids=[
        "text", "empty", "version", "huge", "cut short", "negative", "pickle", "dtype",
    ],
)  # fmt: skip
def test_a_file_that_lies_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(StackError, match=reason):
        open_stack(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(StackError):
        open_stack(tmp_path / "a.npz")


def test_a_file_that_is_shortened_while_it_is_read_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, numbers(3, 64, 64))
    with open_stack(path) as stack:
        stack.frame(0, STREAM)
        with path.open("r+b") as file:
            file.truncate(30_000)
        with pytest.raises(StackError, match=r"^a.npy ends in the middle of frame 2$"):
            stack.frame(2, STREAM)
