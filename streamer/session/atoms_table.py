"""The atoms of a frame as a Parquet table, one schema for a whole session.

All NaN are empty (null) in the file: DuckDB and pandas then average what is known.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from streamer.analysis import Analysis
from streamer.atoms import (
    FIXED_COLUMNS,
    PLACE_COLUMNS,
    SPECIES,
    Atoms,
    sigma_columns,
)

PLACE: Mapping[str, pa.DataType] = MappingProxyType(
    dict(
        zip(
            PLACE_COLUMNS,
            (pa.int64(), pa.int32(), pa.float64(), pa.float64()),
            strict=True,
        )
    )
)
"""Columns that are the same for all atoms of a frame; the stream by its number."""

SPECIES_TYPE = pa.dictionary(pa.int32(), pa.string())
"""32-bit, because that is what readers of a Parquet file make of any dictionary."""

MAX_ROWS = 2_000_000
"""Atoms of a frame, as on the wire."""
MAX_COLUMNS = 256
MAX_TABLE_BYTES = 2**31

UNITS = MappingProxyType(
    {"s": "s", "nm2": "e/nm²", "px": "px", "nm": "nm", "rad": "rad"}
)
"""Unit of a column by the last part of its name."""


def unit(column: str) -> str:
    """Unit of a column, "" for a plain number or a name."""
    _, separator, suffix = column.rpartition("_")
    return UNITS.get(suffix, "") if separator else ""


def schema(latents: Iterable[str]) -> pa.Schema:
    """Columns in the order in which every table of the session has them."""
    named = tuple(latents)
    fixed: dict[str, pa.DataType] = {
        name: pa.from_numpy_dtype(kind) for name, kind in FIXED_COLUMNS.items()
    }
    edge = fixed.pop("edge")
    columns: dict[str, pa.DataType] = {
        **PLACE,
        **fixed,
        "species": SPECIES_TYPE,
        **{name: pa.float32() for name in (*named, *sigma_columns(named))},
        "edge": edge,
    }
    return pa.schema(list(columns.items()))


def encode(analysis: Analysis, stream_number: int) -> bytes:
    """Parquet file of the atoms of one frame, with the model's latents."""
    return parquet(_table(analysis, stream_number))


def parquet(table: pa.Table) -> bytes:
    """A table of atoms as the bytes of a Parquet file."""
    file = io.BytesIO()
    # Dictionaries of measured numbers cost four times the time and more space.
    dictionaries = ["species"]
    pq.write_table(
        table,
        file,
        compression="zstd",
        use_dictionary=dictionaries,  # type: ignore[arg-type] # stubs know bool only
    )
    return file.getvalue()


def decode(data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """Table of a file that `encode` made.

    Parameters
    ----------
    columns
        Those that are wanted; what the file does not have is left out. None for all.

    Raises
    ------
    ValueError
        Not a Parquet file.
    """
    try:
        with pq.ParquetFile(io.BytesIO(data)) as file:
            _check_size(file.metadata)
            return file.read(None if columns is None else _there(file, columns))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error)) from error


def _there(file: pq.ParquetFile, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name in file.schema_arrow.names]


def _check_size(metadata: pq.FileMetaData) -> None:
    """Refuse a table that would be larger than that of any frame."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    nbytes = sum(group.total_byte_size for group in groups)
    rows, columns = metadata.num_rows, metadata.num_columns
    if rows > MAX_ROWS or columns > MAX_COLUMNS or nbytes > MAX_TABLE_BYTES:
        raise ValueError(f"a table of {rows} rows, {columns} columns, {nbytes} bytes")


def to_atoms(table: pa.Table) -> Atoms:
    """Atoms of the table of one frame.

    Raises
    ------
    ValueError, KeyError
        Another table.
    """
    measured = table.drop_columns(list(PLACE))
    columns = {
        name: species_codes(column) if name == "species" else column.to_numpy()
        for name, column in zip(measured.column_names, measured.columns, strict=True)
    }
    return Atoms.from_columns(columns)


def conform(table: pa.Table, order: pa.Schema) -> pa.Table:
    """The table with the columns of `order`, empty where it has none."""
    columns = [
        table[name].cast(kind)
        if name in table.column_names
        else pa.nulls(len(table)).cast(kind)
        for name, kind in zip(order.names, order.types, strict=True)
    ]
    return pa.table(columns, schema=order)


def _table(analysis: Analysis, stream_number: int) -> pa.Table:
    _check_latents(analysis)
    place = {
        "frame": analysis.seq,
        "stream": stream_number,
        "time_s": analysis.time_s,
        "dose_e_nm2": analysis.dose_e_nm2,
    }
    return table(place, analysis.atoms, analysis.model.latents)


def table(place: Mapping[str, float], atoms: Atoms, latents: Iterable[str]) -> pa.Table:
    """The atoms of one frame in the columns of a session's tables.

    Parameters
    ----------
    place
        Values of `PLACE_COLUMNS`; those that are not given are no columns.
    latents
        Columns that are there whatever the atoms have; empty where they have none.
    """
    columns: dict[str, NDArray[np.generic] | pa.Array[Any]]
    columns = {name: np.full(len(atoms), value) for name, value in place.items()}
    columns |= atoms.columns()
    columns["species"] = pa.DictionaryArray.from_arrays(
        atoms.species.astype(np.int32), list(SPECIES)
    )
    whole = schema(latents)
    order = pa.schema(
        [field for field in whole if field.name not in PLACE or field.name in place]
    )
    unknown = np.full(len(atoms), np.nan, np.float32)
    arrays = [
        _array(columns.get(name, unknown), order.field(name).type)
        for name in order.names
    ]
    return pa.table(arrays, schema=order)


def _check_latents(analysis: Analysis) -> None:
    given, named = tuple(analysis.atoms.latents), analysis.model.latents
    # Where nothing was found there may be no latents either, and the schema stays.
    if given != named and (given or len(analysis.atoms)):
        raise ValueError(f"latents {given} of a model whose card names {named}")


def _array(
    column: "NDArray[np.generic] | pa.Array[Any]", kind: pa.DataType
) -> "pa.Array[Any]":
    if isinstance(column, pa.Array):
        return column
    return pa.array(column, type=kind, from_pandas=True)


def species_codes(column: "pa.ChunkedArray[Any]") -> NDArray[np.generic]:
    """Indices into `SPECIES`, whatever the order of the file's own dictionary.

    Raises
    ------
    ValueError
        Another species.
    """
    names = column.cast(pa.string())
    codes = pc.index_in(names, value_set=pa.array(SPECIES))
    if codes.null_count:
        raise ValueError(f"a species that is none of {', '.join(SPECIES)}")
    return codes.to_numpy()
