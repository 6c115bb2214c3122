"""The atoms of a whole session in one file, for other programs."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from streamer.errors import SettingsError
from streamer.place import check_place
from streamer.session import atoms_table
from streamer.session.durable import replacing
from streamer.session.export_csv import csv_file
from streamer.session.export_hdf5 import hdf5_file
from streamer.session.export_parquet import parquet_file
from streamer.session.failures import session_failures
from streamer.session.reader import SessionReader

type Write = Callable[[pa.Table], None]
type Format = Callable[[Path, pa.Schema], AbstractContextManager[Write]]

FORMATS: MappingProxyType[str, Format] = MappingProxyType(
    {".csv": csv_file, ".parquet": parquet_file, ".h5": hdf5_file}
)
"""By the ending of the file: opens it for tables of one schema, one after another."""


def export(
    session: SessionReader,
    out: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Number of atoms written to `out`, by stream and frame, a row each.

    One frame at a time is in memory, and `out` appears when it is whole.

    Parameters
    ----------
    out
        .csv, .parquet or .h5.
    progress
        Is told (frames written, frames there are) after each.

    Raises
    ------
    SettingsError
        A folder or in none, another ending, or there and not to be overwritten.
    SessionError
        The session is damaged, or `out` cannot be written.
    """
    check_place(out, "atoms.csv")
    write_to = _format(out)
    if out.exists() and not overwrite:
        raise SettingsError(f"{out} exists already; --overwrite replaces it")
    records = [
        record
        for stream in session.streams()
        for record in session.analyses(stream.stream.id)
    ]
    # Models may have been swapped: whoever has no such latent has no values for it.
    latents = dict.fromkeys(name for record in records for name in record.model.latents)
    schema = atoms_table.schema(latents)
    atoms = 0
    with (
        session_failures(out),
        replacing(out) as temporary,
        write_to(temporary, schema) as write,
    ):
        for written, record in enumerate(records, start=1):
            table = session.atoms_table(record.frame.stream_id, record.frame.seq)
            write(atoms_table.conform(table, schema))
            atoms += len(table)
            if progress:
                progress(written, len(records))
    return atoms


def _format(out: Path) -> Format:
    try:
        return FORMATS[out.suffix.lower()]
    except KeyError:
        raise SettingsError(
            f"{out.name}: atoms are exported to {', '.join(FORMATS)}"
        ) from None
