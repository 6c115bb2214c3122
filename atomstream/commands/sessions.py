"""`atomstream sessions`: what is on disk, and whether it is whole."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from atomstream.commands import prune
from atomstream.commands.options import SessionFolder
from atomstream.progress import progress_bar
from atomstream.words import aside_in_words, gap_in_words
from streamer.errors import SettingsError
from streamer.session.layout import INDEX_NAME
from streamer.session.pruning import GOING

app = typer.Typer(
    no_args_is_help=True, help="List, show, verify, keep and remove sessions."
)
app.command()(prune.prune)
app.command()(prune.pin)
app.command()(prune.unpin)


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
        if index.parent.name.startswith(GOING):
            continue
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
def show(
    session: SessionFolder,
    frame: Annotated[
        int | None,
        typer.Option(
            "--frame", metavar="N", min=0, help="Show the life of this frame instead."
        ),
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option(
            "--stream",
            metavar="ID",
            help="Of this stream: its number, or the beginning of its id.",
        ),
    ] = None,
) -> None:
    """Show a session: streams, models, lattice, gaps, events, notes.

    With --frame, one frame: when it was scanned, sent, received, committed, and when
    each stage of its analysis was done.

    Example: atomstream sessions show runs/today --frame 17
    """
    if frame is not None:
        from atomstream.commands.frame_life import show_life

        show_life(session, frame, stream)
        return
    if stream is not None:
        raise SettingsError("--stream goes with --frame N")
    from atomstream.words import analyses_in_words, drift_in_words, notes_in_words
    from streamer.session.notes import read_notes
    from streamer.session.pins import is_pinned
    from streamer.session.reader import SessionReader

    console = Console()
    with SessionReader(session) as reader:
        streams = Table("#", "source", "channel", "frames", "analysed", "sent")
        for record in reader.streams():
            sent = "still open" if record.total is None else str(record.total)
            streams.add_row(
                str(record.number), record.stream.source, record.stream.channel,
                str(record.frames), str(record.analyses), sent,
            )  # fmt: skip
        console.print(streams)
        if is_pinned(session):
            console.print("pinned: `sessions prune` leaves it")
        for record in reader.streams():
            typer.echo(f"stream {record.number}: id {record.stream.id}")
            analyses = reader.analyses(record.stream.id)
            drift = drift_in_words(analyses)
            for line in (*analyses_in_words(analyses), *([drift] if drift else [])):
                console.print(f"stream {record.number}: {line}", highlight=False)
        for gap in reader.gaps():
            console.print(gap_in_words(gap))
        for aside in reader.set_aside():
            console.print(aside_in_words(aside), highlight=False)
        for event in reader.events():
            console.print(f"{event.kind}: {event.text}", highlight=False)
        numbers = {each.stream.id: each.number for each in reader.streams()}
    for line in notes_in_words(read_notes(session), numbers):
        console.print(line, highlight=False, markup=False)


@app.command()
def verify(
    sessions: Annotated[
        list[Path], typer.Argument(metavar="SESSION...", help="Session folders.")
    ],
) -> None:
    """Compare every file with its checksum, and look for files that do not belong.

    Exits with 1 when anything is missing or damaged.

    Example: atomstream sessions verify runs/*
    """
    whole = [is_whole(session) for session in sessions]
    if not all(whole):
        raise typer.Exit(1)


def is_whole(session: Path) -> bool:
    """Whether nothing is missing or damaged in a session; says what is."""
    from streamer.session.verify import verify as verify_session

    with progress_bar("verifying") as report:
        found = verify_session(session, progress=report)
    for problem in found.problems:
        typer.echo(problem)
    for gap in found.gaps:
        typer.echo(gap_in_words(gap))
    for aside in found.aside:
        typer.echo(aside_in_words(aside))
    state = "whole" if found.whole else f"{len(found.problems)} problems"
    typer.echo(f"{session}: {state}")
    return found.whole


@app.command()
def retry(
    session: SessionFolder,
    frame: Annotated[
        list[int] | None,
        typer.Option("--frame", metavar="N", min=0, help="Only this; may be repeated."),
    ] = None,
) -> None:
    """Have frames that were set aside analysed after all.

    A frame is set aside when its file cannot be read, or when the analysing process
    died of it three times. After an update, or with another model, it may succeed:
    a running service takes it up at once, any other when it is started.

    Example: atomstream sessions retry runs/today --frame 17
    """
    from streamer.session.attempts import retry as retry_frames

    count = retry_frames(session, frame or (), time.time_ns())
    frames = "1 frame" if count == 1 else f"{count} frames"
    typer.echo(f"{session}: {frames} to be tried again")
