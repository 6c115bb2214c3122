"""The folder of real frames, as its manifest describes it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter, ValidationError

from streamer.errors import StackError
from streamer.frame import Frame, Stream

MANIFEST = "manifest.json"
SHEETS = ("graphene", "graphene_si", "series")
"""Folders of frames that show graphene, with or without Si."""


class Described(BaseModel):
    """What the manifest says of one file; other keys are for people."""

    file: str
    nm_per_px: float | None = None
    nm_per_px_from_lattice: float | None = None
    """Better than the nominal one, where somebody has measured it."""


class _Labelled(BaseModel):
    defects: list[list[tuple[float, float, str]]]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Atoms that people have named in one frame: the Si and the C bonded to them."""

    silicon: NDArray[np.float64]
    """(N, 2): (row, col) in pixels."""
    carbon: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One file: one frame or several."""

    name: str
    images: NDArray[np.float32]
    """(frames, rows, cols)."""
    pixel_size_nm: float
    labels: tuple[Labels, ...]
    """One a frame, or none at all."""

    def frame(self, number: int) -> Frame:
        """One of the frames."""
        stream = Stream("real", self.name, "HAADF")
        return Frame(
            stream, number, self.images[number], pixel_size_nm=self.pixel_size_nm
        )


def sheets_in(folder: Path) -> list[Recording]:
    """All recordings of graphene in a folder of real frames.

    Raises
    ------
    StackError
        No manifest, one that cannot be read, or no frames of graphene.
    """
    listed = [
        entry
        for entry in _manifest(folder)
        if entry.file.endswith(".npy") and entry.file.split("/")[0] in SHEETS
    ]
    if not listed:
        raise StackError(
            f"{folder / MANIFEST} lists no .npy in {', '.join(SHEETS)}; "
            "expected real frames of graphene"
        )
    return [_recording(folder, entry) for entry in listed]


def _manifest(folder: Path) -> list[Described]:
    path = folder / MANIFEST
    try:
        return TypeAdapter(list[Described]).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise StackError(
            f"{folder} holds no real frames: {MANIFEST} cannot be read ({reason})"
        ) from error


def _recording(folder: Path, entry: Described) -> Recording:
    pixel_size_nm = entry.nm_per_px_from_lattice or entry.nm_per_px
    if pixel_size_nm is None:
        raise StackError(f"{entry.file} in {MANIFEST} has no nm_per_px")
    path = folder / entry.file
    try:
        images = np.load(path).astype(np.float32)
    except (OSError, ValueError) as error:
        raise StackError(f"{path} cannot be read: {error}") from error
    labels = path.with_suffix(".json")
    return Recording(
        name=path.stem,
        images=images.reshape(-1, *images.shape[-2:]),
        pixel_size_nm=pixel_size_nm,
        labels=_labels(labels) if labels.exists() else (),
    )


def _labels(path: Path) -> tuple[Labels, ...]:
    entries = TypeAdapter(list[_Labelled]).validate_python(json.loads(path.read_text()))
    return tuple(Labels(_named(entry, "Si"), _named(entry, "C")) for entry in entries)


def _named(entry: _Labelled, element: str) -> NDArray[np.float64]:
    """(N, 2): (row, col) of all atoms of one element."""
    atoms = [
        (y, x) for defect in entry.defects for x, y, name in defect if name == element
    ]
    return np.array(atoms, np.float64).reshape(-1, 2)
