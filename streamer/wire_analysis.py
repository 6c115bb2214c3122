"""An analysis as header fields and payload: columns of atoms, then the preview."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from streamer.analysis import (
    Analysis,
    Flag,
    ModelId,
    PixelSizeSource,
    Preview,
)
from streamer.atoms import FIXED_COLUMNS, SPECIES, Atoms
from streamer.errors import FrameError, WireError
from streamer.frame import Completeness, Stream, check_pixel_size
from streamer.header import Fields
from streamer.wire_frame import check_length, raw, shape, view
from streamer.wire_summary import (
    MAX_ATOMS,
    MAX_LATENTS,
    read_summary,
    summary_fields,
)

MAX_COLUMNS = len(FIXED_COLUMNS) + 1 + 2 * MAX_LATENTS
"""With the standard deviations of the angle and of each latent."""
MAX_PREVIEW_SIDE_PX = 1024
MAX_STAGES = 64

_LATENT = np.dtype(np.float32)


def write_analysis(analysis: Analysis) -> tuple[Mapping[str, object], memoryview]:
    """Header fields of `analysis`, and its columns and preview end to end."""
    columns = wire_columns(analysis.atoms)
    preview = analysis.preview
    fields: dict[str, object] = {
        "model": asdict(analysis.model),
        "provider": analysis.provider,
        "shape": list(analysis.shape),
        "pixel_size_nm": analysis.pixel_size_nm,
        "pixel_size_source": analysis.pixel_size_source,
        "estimated_pixel_size_nm": analysis.estimated_pixel_size_nm,
        "origin_nm": list(analysis.origin_nm),
        "time_s": analysis.time_s,
        "dose_e_nm2": analysis.dose_e_nm2,
        "completeness": analysis.completeness,
        "flags": list(analysis.flags),
        "summary": summary_fields(analysis.summary),
        "stages_ms": dict(analysis.stages_ms),
        "latency_s": analysis.latency_s,
        "atoms": len(analysis.atoms),
        "columns": [
            {"name": name, "dtype": column.dtype.name}
            for name, column in columns.items()
        ],
        "preview": {
            "shape": list(preview.image.shape),
            "low": preview.low,
            "high": preview.high,
        },
    }
    pixels = np.asarray(preview.image, np.uint8)
    if analysis.rows_so_far is not None:
        fields["valid_rows"] = analysis.rows_so_far
    buffers = [raw(array) for array in (*columns.values(), pixels)]
    return fields, memoryview(b"".join(buffers))


def wire_columns(atoms: Atoms) -> dict[str, NDArray[np.generic]]:
    """Columns of `atoms` in the order of the payload: widest type first.

    So that every column starts at a multiple of its own item size.
    """
    columns = {
        name: np.asarray(column, FIXED_COLUMNS.get(name, _LATENT))
        for name, column in atoms.columns().items()
    }
    widest_first = sorted(columns.items(), key=lambda item: -item[1].dtype.itemsize)
    return dict(widest_first)


def read_analysis(
    stream: Stream, seq: int, fields: Fields, payload: memoryview
) -> Analysis:
    """The analysis whose columns and preview are read-only views of `payload`.

    Raises
    ------
    WireError
        A field is missing, of the wrong type or out of range, or the payload does
        not hold what the header says.
    """
    rows, cols = shape(fields)
    x_nm, y_nm = fields.reals("origin_nm", 2)
    atoms, preview = read_payload(fields, payload)
    return Analysis(
        stream=stream,
        seq=seq,
        model=read_model(fields.inner("model")),
        provider=fields.text("provider"),
        shape=(rows, cols),
        pixel_size_nm=read_pixel_size(fields, "pixel_size_nm"),
        origin_nm=(x_nm, y_nm),
        time_s=fields.real("time_s"),
        dose_e_nm2=fields.real("dose_e_nm2"),
        completeness=fields.choice("completeness", Completeness),
        flags=read_flags(fields),
        atoms=atoms,
        summary=read_summary(fields.inner("summary")),
        stages_ms=read_stages(fields.inner("stages_ms", MAX_STAGES)),
        latency_s=fields.real("latency_s"),
        preview=preview,
        pixel_size_source=fields.optional(
            lambda name: fields.choice(name, PixelSizeSource), "pixel_size_source"
        ),
        estimated_pixel_size_nm=read_pixel_size(fields, "estimated_pixel_size_nm"),
        rows_so_far=fields.optional(
            lambda name: fields.count(name, rows), "valid_rows"
        ),
    )


def read_payload(fields: Fields, payload: memoryview) -> tuple[Atoms, Preview]:
    """The columns of atoms, and the preview after them."""
    count = fields.count("atoms", MAX_ATOMS)
    types = column_types(fields)
    preview = fields.inner("preview")
    rows, cols = shape(preview, MAX_PREVIEW_SIDE_PX, least_px=0)
    column_bytes = count * sum(dtype.itemsize for dtype in types.values())
    check_length(payload, column_bytes + rows * cols, f"{count} atoms and a preview")
    pixels = view(payload, np.dtype(np.uint8), rows * cols, column_bytes)
    return read_atoms(payload, types, count), Preview(
        image=pixels.reshape(rows, cols).view(np.uint8),
        low=preview.real("low"),
        high=preview.real("high"),
    )


def column_types(fields: Fields) -> dict[str, np.dtype[np.generic]]:
    """Dtype of each column, in the order of the payload."""
    listed = fields.maps("columns", MAX_COLUMNS)
    names = [column.text("name") for column in listed]
    missing = FIXED_COLUMNS.keys() - set(names)
    if missing or len(set(names)) != len(names):
        raise fields.unexpected("columns", f"each of {', '.join(FIXED_COLUMNS)} once")
    types = {name: FIXED_COLUMNS.get(name, _LATENT) for name in names}
    for column, dtype in zip(listed, types.values(), strict=True):
        if column.text("dtype") != dtype.name:
            raise column.unexpected("dtype", dtype.name)
    return types


def read_atoms(
    payload: memoryview, types: Mapping[str, np.dtype[np.generic]], count: int
) -> Atoms:
    """The table whose columns stand at the start of `payload`, one after another.

    Raises
    ------
    WireError
        A species code without a species, or an `edge` that is neither 0 nor 1.
    """
    columns: dict[str, NDArray[np.generic]] = {}
    offset = 0
    for name, dtype in types.items():
        column = view(payload, dtype.newbyteorder("<"), count, offset)
        offset += column.nbytes
        if dtype.itemsize == 1:
            codes = len(SPECIES) if name == "species" else 2
            check_codes(name, column.view(np.uint8), codes)
        columns[name] = column
    return Atoms.from_columns(columns)


def check_codes(name: str, codes: NDArray[np.uint8], count: int) -> None:
    """Refuse codes that stand for nothing.

    Raises
    ------
    WireError
        One is `count` or more.
    """
    if codes.size and codes.max() >= count:
        raise WireError(f"column {name} holds {codes.max()}, expected 0 to {count - 1}")


def read_model(fields: Fields) -> ModelId:
    """Which model made the analysis."""
    try:
        return ModelId(
            name=fields.text("name"),
            sha256=fields.text("sha256"),
            latents=fields.names("latents", MAX_LATENTS),
            angle_period_rad=fields.real("angle_period_rad"),
        )
    except ValueError as error:
        raise WireError(f"{fields.where}: {error}") from error


def read_pixel_size(fields: Fields, name: str) -> float | None:
    """Pixel size in nm, or None where unknown."""
    pixel_size_nm = fields.optional(fields.real, name)
    try:
        check_pixel_size(pixel_size_nm)
    except FrameError as error:
        raise WireError(f"{fields.where}: {error}") from error
    return pixel_size_nm


def read_flags(fields: Fields) -> tuple[Flag, ...]:
    """Why the analysis is not to be taken at face value."""
    flags = fields.items("flags", len(Flag))
    return tuple(flags.choice(key, Flag) for key in flags.values)


def read_stages(fields: Fields) -> Mapping[str, float]:
    """Wall time of each stage in ms, in order."""
    return MappingProxyType({name: fields.real(name) for name in fields.values})
