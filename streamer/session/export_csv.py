"""Atoms as comma-separated text."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv


@contextmanager
def csv_file(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Block that writes tables to a text file, one line an atom; see `csv_lines`."""
    with path.open("wb") as file, csv_lines(file, schema) as write:
        yield write


@contextmanager
def csv_lines(
    file: BinaryIO, schema: pa.Schema
) -> Iterator[Callable[[pa.Table], None]]:
    """Block that writes tables as text, one line an atom.

    Numbers have as many digits as give the same number again; what is unknown is
    empty; `edge` is true or false.
    """
    plain = pa.schema(
        [
            pa.field(field.name, pa.string())
            if pa.types.is_dictionary(field.type)
            else field
            for field in schema
        ]
    )
    options = csv.WriteOptions(include_header=False)
    # Its own header would be the only quoted line of the file.
    file.write(",".join(schema.names).encode() + b"\n")
    with csv.CSVWriter(file, plain, write_options=options) as writer:
        yield lambda table: writer.write_table(table.cast(plain))
