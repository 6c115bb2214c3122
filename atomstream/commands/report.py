"""`atomstream report`: the paper's figures for a session, on one page."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atomstream.commands.options import SessionFolder, Threads, threads_or_default
from atomstream.extras import check_extra
from atomstream.progress import progress_bar
from atomstream.report.wish import Window, Wish
from atomstream.words import count_in_words
from streamer.errors import SettingsError

if TYPE_CHECKING:
    from atomstream.report.making import Order

NEEDED = ("colorcet", "matplotlib", "jinja2", "sklearn", "skimage")


def report(
    session: SessionFolder,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT_DIR",
            help="New folder, or that of an earlier report, which is replaced.",
        ),
    ],
    frames: Annotated[
        str | None,
        typer.Option(
            "--frames",
            metavar="N,N,…",
            help="Frames that are shown as pictures; by default the first, middle "
            "and last with atoms.",
        ),
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option(
            "--stream",
            metavar="ID",
            help="Number of a stream, or the beginning of its id; by default the one "
            "with most analysed frames.",
        ),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "--model",
            metavar="DIR",
            help="Where to look for a model that is neither shipped nor kept in the "
            "session; may be repeated.",
        ),
    ] = None,
    window: Annotated[
        Window,
        typer.Option(
            help="How much around each atom the methods of the paper are shown: its "
            "neighbours, the hexagons around it too, or both.",
        ),
    ] = Window.BOTH,
    retrain: Annotated[
        bool,
        typer.Option(
            "--retrain",
            help="Train them on this session, as the paper did; may take long, and "
            "needs the extra [train].",
        ),
    ] = False,
    page_only: Annotated[
        bool,
        typer.Option("--page-only", help="No files beside the page, to send it away."),
    ] = False,
    dpi: Annotated[
        int, typer.Option(min=50, max=600, help="Pixels per inch of the pictures.")
    ] = 150,
    threads: Threads = None,
) -> None:
    """Show what happened in a session: figures, their numbers, and methods.

    OUT_DIR/index.html is one page that needs no network. Beside it lie each figure
    as PNG and SVG, its numbers as CSV or Parquet, and methods.txt, ready to paste.

    Examples
    --------
    atomstream report runs/today report

    atomstream report runs/today report --frames 0,20,49 --dpi 300
    """
    check_extra("report", "report", NEEDED)
    chosen = None if frames is None else frame_numbers(frames)
    from atomstream.report.making import PAGE, Order, make_report

    order = Order(
        session=session,
        out=out,
        stream=stream,
        frames=chosen,
        models=tuple(model or ()),
        wish=Wish(window),
        page_only=page_only,
        dpi=dpi,
        threads=threads_or_default(threads),
    )
    began_s = time.monotonic()
    with _with_models(order, retrain) as whole:
        figures = make_report(whole, progress_bar)
    took_s = time.monotonic() - began_s
    typer.echo(f"{count_in_words(figures, 'figure')} in {out / PAGE} ({took_s:.0f} s)")


@contextmanager
def _with_models(order: "Order", retrain: bool) -> Iterator["Order"]:
    """Block with the report as it is to be made, its own models trained."""
    if not retrain:
        yield order
        return
    from atomstream.commands.retraining import retrained_models

    with retrained_models(order, 1.0) as folder:
        yield replace(order, wish=replace(order.wish, retrained=folder))


def frame_numbers(text: str) -> tuple[int, ...]:
    """Frames from what was typed.

    Raises
    ------
    SettingsError
        No whole numbers between commas.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise SettingsError(
            f"--frames {text:.60}: expected numbers of frames, for instance 0,20,49"
        )
    return tuple(int(part) for part in parts)
