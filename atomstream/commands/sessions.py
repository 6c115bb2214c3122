"""`atomstream sessions`: what is on disk, and whether it is whole."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from atomstream.commands.options import SessionFolder
from atomstream.progress import progress_bar
from streamer.errors import SettingsError
from streamer.session.layout import INDEX_NAME

app = typer.Typer(no_args_is_help=True, help="List, show and verify sessions.")


@app.command("list")
def list_sessions(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to look.")
    ] = Path(),
) -> None:
    """List the sessions in a folder."""
    from streamer.session.reader import SessionReader

    if not folder.is_dir():
        raise SettingsError(f"{folder} is not a folder")
    table = Table("session", "streams", "frames", "analysed", "lost", "size")
    for index in sorted(folder.glob(f"*/{INDEX_NAME}")):
        with SessionReader(index.parent) as reader:
            totals, streams = reader.totals(), len(reader.streams())
        table.add_row(
            index.parent.name,
            str(streams),
            str(totals.frames),
            str(totals.analyses),
            str(totals.lost),
            f"{totals.bytes / 1e6:.1f} MB",
        )
    if table.row_count == 0:
        typer.echo(f"no sessions in {folder.resolve()}")
    else:
        Console().print(table)


@app.command()
def show(session: SessionFolder) -> None:
    """Show the streams, lattice constant, gaps and events of a session."""
    from atomstream.words import drift_in_words
    from streamer.session.reader import SessionReader

    console = Console()
    with SessionReader(session) as reader:
        streams = Table("#", "source", "channel", "frames", "analysed", "sent", "id")
        for record in reader.streams():
            sent = "still open" if record.total is None else str(record.total)
            stream = record.stream
            streams.add_row(
                str(record.number), stream.source, stream.channel,
                str(record.frames), str(record.analyses), sent, stream.id,
            )  # fmt: skip
        console.print(streams)
        for record in reader.streams():
            drift = drift_in_words(reader.analyses(record.stream.id))
            if drift is not None:
                console.print(f"stream {record.number}: {drift}", highlight=False)
        for gap in reader.gaps():
            console.print(f"lost: frames {gap.first} to {gap.last}: {gap.reason}")
        for event in reader.events():
            console.print(f"{event.kind}: {event.text}", highlight=False)


@app.command()
def verify(session: SessionFolder) -> None:
    """Compare every file with its checksum, and look for files that do not belong.

    Exits with 1 when anything is missing or damaged.
    """
    from streamer.session.verify import verify as verify_session

    with progress_bar("verifying") as report:
        found = verify_session(session, progress=report)
    for problem in found.problems:
        typer.echo(problem)
    for gap in found.gaps:
        typer.echo(f"lost: frames {gap.first} to {gap.last}: {gap.reason}")
    state = "whole" if found.whole else f"{len(found.problems)} problems"
    typer.echo(f"{session}: {state}")
    if not found.whole:
        raise typer.Exit(1)
