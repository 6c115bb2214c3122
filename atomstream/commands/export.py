"""`atomstream export`: the atoms of a session as one table."""

from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.options import SessionFolder
from atomstream.progress import progress_bar


def export(
    session: SessionFolder,
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="File ending in .csv, .parquet, .h5.")
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace OUT if it is there.")
    ] = False,
) -> None:
    """Write the atoms of a session as one table: a row an atom, all frames.

    Example: atomstream export runs/today atoms.csv
    """
    from streamer.session.export import export as export_atoms
    from streamer.session.reader import SessionReader

    with SessionReader(session) as reader, progress_bar("exporting") as report:
        atoms = export_atoms(reader, out, overwrite=overwrite, progress=report)
        frames = reader.totals().analyses
        streams = len(reader.streams())
    several = f" of {streams} streams, told apart by `stream`" if streams > 1 else ""
    typer.echo(f"{atoms} atoms of {frames} frames{several} in {out}")
