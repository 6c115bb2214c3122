"""`atomstream analyze`: a recorded stack into a session, as fast as it goes."""

from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.log_options import LogFormatName, LogLevelName, start_log
from atomstream.commands.options import (
    Channel,
    DeviceName,
    EngineName,
    EstimatePixelSize,
    ModelName,
    PixelSize,
    Refine,
    Scheduler,
    Threads,
    check_pixel_size,
    engine_choice,
    warn_of_trial,
)
from atomstream.engines import EngineKind
from atomstream.logs import LogFormat, LogLevel
from inference.card import read_card
from inference.catalogue import DEFAULT, find_model
from inference.device import Device


def analyze(
    stack: Annotated[
        Path,
        typer.Argument(
            metavar="STACK", help=".tif, .npy, .npz, .ndata, .h5, .nhdf or a session."
        ),
    ],
    record: Annotated[
        Path, typer.Option("--record", metavar="DIR", help="Session folder.")
    ],
    model: ModelName = DEFAULT,
    pixel_size: PixelSize = None,
    estimate_pixel_size: EstimatePixelSize = False,
    channel: Channel = None,
    refine: Refine = True,
    threads: Threads = None,
    device: DeviceName = Device.AUTO,
    engine: EngineName = EngineKind.LOCAL,
    scheduler: Scheduler = None,
    log_format: LogFormatName = LogFormat.TEXT,
    log_level: LogLevelName = LogLevel.INFO,
) -> None:
    """Find the atoms of every frame of a recorded stack.

    Gives, bit for bit, what `replay` and `serve` would give. Interrupted, the same
    command goes on where it was.

    Example: atomstream analyze movie.tif --record runs/movie
    """
    start_log("analyse", log_format, log_level)
    check_pixel_size(pixel_size, estimate_pixel_size)
    choice = engine_choice(engine, scheduler, threads, device, refine)
    warn_of_trial(read_card(find_model(model)))
    choice.reach()
    from atomstream.direct import analyse_stack

    found = analyse_stack(
        stack, record, channel, pixel_size, estimate_pixel_size, model, choice
    )
    typer.echo(f"{found} in {record}")
