"""Atoms as an HDF5 file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streamer.atoms import SPECIES
from streamer.session.atoms_table import unit

CHUNK = 16_384
NAME_DTYPE = np.dtype(f"S{max(map(len, SPECIES))}")


@contextmanager
def hdf5_file(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Block that writes tables to an HDF5 file: /atoms has a dataset a column.

    Each dataset has the attribute `units`; what is unknown is NaN; species are names.
    """
    with h5py.File(path, "w") as file:
        group = file.create_group("atoms")
        for field in schema:
            dataset = group.create_dataset(
                field.name,
                shape=(0,),
                maxshape=(None,),
                chunks=(CHUNK,),
                dtype=_dtype(field.type),
            )
            dataset.attrs["units"] = unit(field.name)
        yield lambda table: _append(group, table)


def _dtype(kind: pa.DataType) -> np.dtype[np.generic]:
    if pa.types.is_dictionary(kind):
        return NAME_DTYPE
    return np.dtype(kind.to_pandas_dtype())


def _append(group: h5py.Group, table: pa.Table) -> None:
    for name in table.column_names:
        dataset = group[name]
        before = len(dataset)
        dataset.resize(before + len(table), axis=0)
        dataset[before:] = _values(table, name)


def _values(table: pa.Table, name: str) -> NDArray[np.generic]:
    column = table[name]
    if pa.types.is_dictionary(column.type):
        return column.cast(pa.string()).to_numpy().astype(NAME_DTYPE)
    return column.to_numpy()
