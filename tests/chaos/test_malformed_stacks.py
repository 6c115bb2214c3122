"""A recorded stack from anybody: frames, or one error; bounded; no file but its own."""

import io
import json
import random
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from streamer.errors import StackError
from streamer.frame import Stream
from streamer.stacks import open_stack
from tests.chaos.counting import resident_bytes, wanted

type Report = Callable[..., None]

MIB = 2**20
STREAM = Stream("5f0c", "file", "HAADF")
MOVIE = np.arange(3 * 12 * 16, dtype=np.float32).reshape(3, 12, 16)
ITEM = {
    "is_sequence": True,
    "collection_dimension_count": 0,
    "datum_dimension_count": 2,
    "metadata": {"hardware_source": {"channel_name": "MAADF"}},
}


def said_of(path: Path) -> str:
    """What is wrong with a file, nothing if its frames can be read."""
    said = ""
    try:
        with open_stack(path) as stack:
            for index in range(min(len(stack), 3)):
                stack.frame(index, STREAM)
    except StackError as error:
        said = str(error) or "nothing"
    assert "\n" not in said
    assert len(said) < 1000
    return said


def npy(version: int, header: bytes, length: int | None = None) -> bytes:
    """An NPY file of any header that says of itself that it is `length` long."""
    size = len(header) if length is None else length
    kind = "<H" if version == 1 else "<I"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(kind, size) + header


def npy_of(shape: tuple[int, ...], fortran: bool = False, descr: str = "<f4") -> bytes:
    text = {"descr": descr, "fortran_order": fortran, "shape": shape}
    return npy(1, repr(text).encode() + b"\n")


def zipped(path: Path, **members: bytes | int) -> Path:
    """An archive; a number stands for so many zeros after a long header."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            with archive.open(name.replace("_", "."), "w", force_zip64=True) as file:
                if isinstance(content, bytes):
                    file.write(content)
                    continue
                file.write(npy(2, b"", 2**32 - 1))
                for _ in range(content // MIB):
                    file.write(bytes(MIB))
    return path


def zeros_after(header: bytes, nbytes: int) -> bytes:
    return header + bytes(nbytes)


def bombs(folder: Path) -> Iterator[Path]:
    """Small files that claim to be large."""
    (folder / "shape.npy").write_bytes(npy_of((10**5, 10**5, 10**5)))
    yield folder / "shape.npy"
    (folder / "header.npy").write_bytes(npy(2, b"{", 2**32 - 1))
    yield folder / "header.npy"
    (folder / "nested.npy").write_bytes(npy(1, b"[" * 9_000))
    yield folder / "nested.npy"
    with (folder / "hole.npy").open("wb") as file:
        file.write(npy_of((100, 16_384, 16_384), fortran=True))
        file.truncate(2**37)
    yield folder / "hole.npy"
    yield zipped(folder / "header.npz", a_npy=64 * MIB)
    yield zipped(folder / "shape.npz", a_npy=npy_of((4096, 4096, 4096)))
    order = zeros_after(npy_of((16, 1024, 1024), fortran=True), 64 * MIB)
    yield zipped(folder / "fortran.npz", a_npy=order)
    yield zipped(
        folder / "fortran.ndata",
        data_npy=order,
        metadata_json=json.dumps(ITEM).encode(),
    )
    yield zipped(
        folder / "words.ndata",
        data_npy=npy_of((3, 12, 16)) + MOVIE.tobytes(),
        metadata_json=b"[" + b"[]," * (2 * MIB) + b"0]",
    )
    yield zipped(
        folder / "deep.ndata",
        data_npy=npy_of((3, 12, 16)) + MOVIE.tobytes(),
        metadata_json=b"[" * MIB,
    )
    with h5py.File(folder / "chunks.h5", "w") as file:
        # One chunk of 2 GiB, of which nothing but a word is stored.
        data = file.create_dataset(
            "movie", (512, 1024, 1024), "f4", chunks=(512, 1024, 1024),
            compression="gzip", fillvalue=0,
        )  # fmt: skip
        data.id.write_direct_chunk((0, 0, 0), bytes(MIB))
    yield folder / "chunks.h5"
    with h5py.File(folder / "shape.h5", "w") as file:
        file.create_dataset("movie", (10**6, 16_384, 16_384), "f8", chunks=(1, 64, 64))
    yield folder / "shape.h5"
    yield from tiff_bombs(folder)


def tiff_bombs(folder: Path) -> Iterator[Path]:
    whole = folder / "whole.tif"
    tifffile.imwrite(whole, MOVIE, photometric="minisblack", contiguous=False)
    data = bytearray(whole.read_bytes())
    with tifffile.TiffFile(whole) as file:
        offsets = [page.offset for page in file.pages]
        tags = file.pages.first.tags
        width, length = tags["ImageWidth"].valueoffset, tags["ImageLength"].valueoffset
        strips = tags["StripByteCounts"].offset
    # The last image is followed by the first one again.
    at = offsets[-1] + 2 + 12 * struct.unpack_from("<H", data, offsets[-1])[0]
    loop = bytearray(data)
    struct.pack_into("<I", loop, at, offsets[0])
    (folder / "loop.tif").write_bytes(loop)
    yield folder / "loop.tif"
    huge = bytearray(data)
    for place in (width, length):
        struct.pack_into("<I", huge, place, 2**31)
    (folder / "huge.tif").write_bytes(huge)
    yield folder / "huge.tif"
    many = bytearray(data)
    struct.pack_into("<I", many, strips + 4, 2**32 - 1)
    (folder / "strips.tif").write_bytes(many)
    yield folder / "strips.tif"
    entities = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(12))
    laughs = f'<?xml version="1.0"?><!DOCTYPE o [<!ENTITY a0 "ha">{entities}]>'
    tifffile.imwrite(
        folder / "laughs.ome.tif", MOVIE, metadata=None, photometric="minisblack",
        description=laughs + '<OME xmlns="a">&a12;</OME>',
    )  # fmt: skip
    yield folder / "laughs.ome.tif"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {path.name: path for path in bombs(tmp_path_factory.mktemp("bombs"))}


def test_a_small_file_that_claims_to_be_large_is_refused_and_costs_little(
    made: dict[str, Path], report: Report
) -> None:
    peaks: dict[str, float] = {}
    readable = []
    for path in made.values():
        before, began = resident_bytes(), time.monotonic()
        said = said_of(path)
        peaks[path.name] = round((resident_bytes() - before) / MIB, 1)
        if not said:
            readable.append(path.name)
        assert time.monotonic() - began < 60, path.name
    report(left_mib=peaks)
    # Parsers that stop at a bomb and still find images are right as well.
    assert set(readable) <= {"laughs.ome.tif", "strips.tif"}


@pytest.mark.parametrize("name", ["header.npz", "fortran.npz", "fortran.ndata"])
def test_what_is_packed_is_not_unpacked_before_it_is_known_to_be_needed(
    made: dict[str, Path], name: str
) -> None:
    assert peak_of(lambda: said_of(made[name])) < 16 * MIB


def peak_of(use: Callable[[], object]) -> int:
    """Most memory that Python and NumPy had at once meanwhile."""
    tracemalloc.start()
    use()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


SECRET = np.full((3, 12, 16), 42, np.float32)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A folder beside the stack's, with files in it that nobody has given us."""
    folder = tmp_path / "secret"
    folder.mkdir()
    with h5py.File(folder / "secret.h5", "w") as file:
        file["data"] = SECRET
        file["data"].attrs["properties"] = json.dumps(ITEM)
    (folder / "secret.bin").write_bytes(SECRET.tobytes())
    tifffile.imwrite(folder / "secret.tif", SECRET, photometric="minisblack")
    return folder


def external_link(file: h5py.File, secret: Path) -> None:
    file["data"] = h5py.ExternalLink(str(secret / "secret.h5"), "/data")


def external_link_in_a_group(file: h5py.File, secret: Path) -> None:
    file.create_group("data")
    file["data/0"] = h5py.ExternalLink(str(secret / "secret.h5"), "/data")


def soft_link(file: h5py.File, secret: Path) -> None:
    file["far"] = h5py.ExternalLink(str(secret / "secret.h5"), "/")
    file["data"] = h5py.SoftLink("/far/data")


def external_storage(file: h5py.File, secret: Path) -> None:
    file.create_dataset(
        "data", SECRET.shape, "f4", external=[(str(secret / "secret.bin"), 0, 2304)]
    )
    file["data"].attrs["properties"] = json.dumps(ITEM)


def plain_external_storage(file: h5py.File, secret: Path) -> None:
    file.create_dataset("movie", SECRET.shape, "f4", external=[("/dev/zero", 0, 2304)])
    assert secret.is_dir()


def virtual(file: h5py.File, secret: Path) -> None:
    layout = h5py.VirtualLayout(SECRET.shape, "f4")
    layout[:] = h5py.VirtualSource(secret / "secret.h5", "data", SECRET.shape)
    file.create_virtual_dataset("movie", layout)


@pytest.mark.parametrize(
    "lead_out",
    [
        external_link, external_link_in_a_group, soft_link, external_storage,
        plain_external_storage, virtual,
    ],
)  # fmt: skip
def test_an_hdf5_file_does_not_lead_to_others(
    tmp_path: Path, secret: Path, lead_out: Callable[[h5py.File, Path], None]
) -> None:
    path = tmp_path / "stack.h5"
    with h5py.File(path, "w") as file:
        lead_out(file, secret)
    began = time.monotonic()
    assert said_of(path)
    assert time.monotonic() - began < 20


OME = """<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"
 UUID="urn:uuid:11111111-1111-1111-1111-111111111111"><Image ID="Image:0" Name="a">
<Pixels BigEndian="false" DimensionOrder="XYCZT" ID="Pixels:0" SizeC="1" SizeT="6"
 SizeX="16" SizeY="12" SizeZ="1" Type="float"><Channel ID="Channel:0:0"
 SamplesPerPixel="1"/>
<TiffData FirstT="0" IFD="0" PlaneCount="3"><UUID FileName="stack.ome.tif">
urn:uuid:11111111-1111-1111-1111-111111111111</UUID></TiffData>
<TiffData FirstT="3" IFD="0" PlaneCount="3"><UUID FileName={other}>
urn:uuid:22222222-2222-2222-2222-222222222222</UUID></TiffData>
</Pixels></Image></OME>"""


@pytest.mark.parametrize(
    "other",
    ['"../secret/secret.tif"', "'../secret/secret.tif'", '"{secret}/secret.tif"',
     '"..&#47;secret&#47;secret.tif"', '"link.tif"', '".."'],
)  # fmt: skip
def test_an_ome_file_does_not_lead_out_of_its_folder(
    tmp_path: Path, secret: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stacks"
    folder.mkdir()
    (folder / "link.tif").symlink_to(secret / "secret.tif")
    description = OME.replace("{other}", other.replace("{secret}", str(secret)))
    tifffile.imwrite(
        folder / "stack.ome.tif", MOVIE, photometric="minisblack", metadata=None,
        description=description.replace("\n", " "),
    )  # fmt: skip
    opened: list[str] = []
    real_open = tifffile.FileHandle.open

    def noted(handle: tifffile.FileHandle) -> None:
        real_open(handle)
        opened.append(Path(handle.path).resolve().name)

    monkeypatch.setattr(tifffile.FileHandle, "open", noted)
    said = said_of(folder / "stack.ome.tif")
    assert "secret.tif" not in opened
    assert "keeps images in" in said


def any_file(folder: Path, suffix: str) -> bytes:
    """A small valid file of a format."""
    path = folder / f"whole{suffix}"
    match suffix:
        case ".npy":
            np.save(path, MOVIE)
        case ".npz":
            np.savez_compressed(path, movie=MOVIE)
        case ".ndata":
            array = io.BytesIO()
            np.save(array, MOVIE)
            words = json.dumps(ITEM).encode()
            zipped(path, data_npy=array.getvalue(), metadata_json=words)
        case ".tif":
            tifffile.imwrite(path, MOVIE, imagej=True, metadata={"axes": "TYX"})
        case ".ome.tif":
            tifffile.imwrite(path, MOVIE, metadata={"axes": "TYX"}, ome=True)
        case ".h5":
            with h5py.File(path, "w") as file:
                file["data"] = MOVIE
                file["data"].attrs["properties"] = json.dumps(ITEM)
    return path.read_bytes()


@pytest.mark.parametrize(
    "suffix", [".npy", ".npz", ".ndata", ".tif", ".ome.tif", ".h5"]
)
def test_flipped_bits_give_frames_or_the_one_error(
    tmp_path: Path, pytestconfig: pytest.Config, report: Report, suffix: str
) -> None:
    # Each HDF5 file is tried in a process of its own.
    hdf5 = suffix == ".h5"
    count = wanted(pytestconfig, 5 if hdf5 else 200, 200 if hdf5 else 20_000)
    whole = any_file(tmp_path, suffix)
    path = tmp_path / f"mutant{suffix}"
    refused, slowest, before = 0, 0.0, resident_bytes()
    for seed in range(count):
        rng = random.Random(f"{suffix} {seed}")
        data = bytearray(whole)
        for _ in range(rng.choice([1, 2, 8, 64])):
            # Headers are where the meaning is.
            reach = rng.choice([len(data), min(512, len(data))])
            data[rng.randrange(reach)] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        began = time.monotonic()
        refused += said_of(path) != ""
        slowest = max(slowest, time.monotonic() - began)
    grown = resident_bytes() - before
    report(count=count, refused=refused,
        slowest_s=round(slowest, 2), grown_mib=round(grown / MIB, 1),
    )  # fmt: skip
    assert refused > 0
    assert slowest < 60
    assert grown < 128 * MIB
