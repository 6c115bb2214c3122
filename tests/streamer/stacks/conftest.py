"""Files as other programs write them."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

type Item = dict[str, object]


@pytest.fixture(scope="session")
def movie() -> NDArray[np.float32]:
    """Three frames of which every pixel is different."""
    return np.arange(3 * 12 * 16, dtype=np.float32).reshape(3, 12, 16)


@pytest.fixture(scope="session")
def nion_item() -> Callable[..., Item]:
    """Properties of a stack as Nion Swift writes them."""

    def make(**changes: object) -> Item:
        hardware = {
            "hardware_source_id": "usim_scan_device",
            "channel_id": "b",
            "channel_name": "MAADF",
            "exposure": 33.0,
            "pixel_time_us": 31.5,
            "valid_rows": 12,
        }
        return {
            "title": "Recording",
            "version": 13,
            "is_sequence": True,
            "collection_dimension_count": 0,
            "datum_dimension_count": 2,
            "dimensional_calibrations": [
                {"offset": 0.0, "scale": 33.5, "units": "s"},
                {"offset": -4.0, "scale": 0.03125, "units": "nm"},
                {"offset": -3.0, "scale": 0.03125, "units": "nm"},
            ],
            "created": "2026-11-22T10:00:10",
            "data_modified": "2026-11-22T10:00:00.250000",
            "metadata": {"hardware_source": hardware, "scan": {"fov_nm": 8.0}},
        } | changes

    return make


def write_ndata(path: Path, array: NDArray[np.generic], item: Item) -> None:
    file = io.BytesIO()
    np.save(file, array)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.npy", file.getvalue())
        archive.writestr("metadata.json", json.dumps(item))


def write_h5(path: Path, array: NDArray[np.generic], item: Item) -> None:
    with h5py.File(path, "w") as file:
        file["data"] = array
        file["data"].attrs["properties"] = json.dumps(item)


def write_nhdf(path: Path, array: NDArray[np.generic], item: Item) -> None:
    with h5py.File(path, "w") as file:
        file["data/0"] = array
        file["data/0"].attrs["properties"] = json.dumps(item)
        file["index"] = np.zeros(1)


def write_nion_tiff(path: Path, array: NDArray[np.generic], item: Item) -> None:
    """The export as ImageJ file, which has other names and leaves some out."""
    metadata = item["metadata"]
    assert isinstance(metadata, dict)
    words = {
        "spatial_calibrations": item["dimensional_calibrations"],
        "is_sequence": item["is_sequence"],
        "collection_dimension_count": item["collection_dimension_count"],
        "datum_dimension_count": item["datum_dimension_count"],
        "properties": metadata["hardware_source"],
        "timestamp": 1795341600.25,
    }
    axes = "TYX" if array.ndim == 3 else "YX"
    tifffile.imwrite(
        path,
        array,
        imagej=True,
        metadata={"axes": axes, "unit": "nm", "nion.1": json.dumps(words)},
    )


WRITERS = {
    ".ndata": write_ndata,
    ".h5": write_h5,
    ".nhdf": write_nhdf,
    ".tif": write_nion_tiff,
}


@pytest.fixture(params=WRITERS)
def nion_file(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[NDArray[np.generic], Item], Path]:
    """Writes an array with its properties in each of Nion's formats."""

    def write(array: NDArray[np.generic], item: Item) -> Path:
        path = tmp_path / f"nion{request.param}"
        WRITERS[request.param](path, array, item)
        return path

    return write


@pytest.fixture
def ndata_file(tmp_path: Path) -> Callable[[NDArray[np.generic], Item], Path]:
    """Writes an array with its properties in the simplest of Nion's formats."""

    def write(array: NDArray[np.generic], item: Item) -> Path:
        write_ndata(tmp_path / "nion.ndata", array, item)
        return tmp_path / "nion.ndata"

    return write


@pytest.fixture
def every_file(
    tmp_path: Path, movie: NDArray[np.float32], nion_item: Callable[..., Item]
) -> dict[str, Path]:
    """One small valid file of each format, the same three frames in all of them."""
    paths = {}
    for suffix, write in WRITERS.items():
        paths[f"nion{suffix}"] = tmp_path / f"nion{suffix}"
        write(tmp_path / f"nion{suffix}", movie, nion_item())
    np.save(tmp_path / "plain.npy", movie)
    np.savez(tmp_path / "plain.npz", movie=movie)
    np.savez_compressed(tmp_path / "packed.npz", movie=movie)
    with h5py.File(tmp_path / "plain.hdf5", "w") as file:
        file.create_dataset("run/movie", data=movie, compression="gzip")
    tifffile.imwrite(tmp_path / "plain.tif", movie, photometric="minisblack")
    tifffile.imwrite(
        tmp_path / "packed.tif", movie, photometric="minisblack", compression="zlib"
    )
    tifffile.imwrite(
        tmp_path / "imagej.tif",
        movie,
        imagej=True,
        resolution=(64, 64),
        metadata={"axes": "TYX", "unit": "nm"},
    )
    tifffile.imwrite(tmp_path / "ome.tif", movie, metadata={"axes": "TYX"}, ome=True)
    names = [
        "plain.npy", "plain.npz", "packed.npz", "plain.hdf5", "plain.tif",
        "packed.tif", "imagej.tif", "ome.tif",
    ]  # fmt: skip
    return paths | {name: tmp_path / name for name in names}
