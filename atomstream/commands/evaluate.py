"""`atomstream evaluate`: how good a model is, in one table."""

from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.options import DeviceName, Threads, threads_or_default
from atomstream.engines import check_device
from inference.catalogue import DEFAULT
from inference.device import Device
from streamer.errors import SettingsError


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="NAME|DIR", help="A shipped model, or a folder.")
    ] = DEFAULT,
    quick: Annotated[
        bool, typer.Option("--quick", help="One movie, fewer frames and conditions.")
    ] = False,
    real: Annotated[
        Path | None,
        typer.Option(
            "--real",
            metavar="DIR",
            help="Instead: a folder of real frames of graphene.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.json", help="Write every figure here."),
    ] = None,
    card: Annotated[
        bool,
        typer.Option(
            "--card", help="Write the figures of a simulated set to the model's card."
        ),
    ] = False,
    threads: Threads = None,
    device: DeviceName = Device.AUTO,
) -> None:
    """Measure a model on simulated movies that no training used.

    Detection over dose and pixel size, orientation, order, and whether displaced atoms
    are found where they are; each beside what it should reach. Takes some minutes.

    Example: atomstream evaluate --quick
    """
    from atomstream.measuring import (
        measure_real,
        measure_simulated,
        print_table,
        write_to_card,
    )
    from inference.model import load_model

    if card and (real or quick):
        raise SettingsError("--card takes all figures: leave out --real and --quick")

    check_device(device)
    loaded = load_model(model, threads_or_default(threads), device)
    measured = measure_real(loaded, real) if real else measure_simulated(loaded, quick)
    if out:
        measured.write(out)
        typer.echo(f"all figures in {out}")
    if card:
        write_to_card(measured, model)
        typer.echo(f"all figures on the card of {model}, whose hash changes by it")
    print_table(measured)
    if quick:
        typer.echo("two early frames hold too little disorder to judge order by")
