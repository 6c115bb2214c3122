"""`atomstream analyze`: a recorded stack into a session, as fast as it goes."""

from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.options import (
    Channel,
    EstimatePixelSize,
    ModelName,
    PixelSize,
    Threads,
    check_pixel_size,
)
from inference.catalogue import DEFAULT


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
    threads: Threads = 2,
) -> None:
    """Find the atoms of every frame of a recorded stack.

    Gives, bit for bit, what `replay` and `serve` would give. Interrupted, the same
    command goes on where it was.

    Example: atomstream analyze movie.tif --record runs/movie
    """
    check_pixel_size(pixel_size, estimate_pixel_size)
    from atomstream.direct import analyse_stack

    found = analyse_stack(
        stack, record, channel, pixel_size, estimate_pixel_size, model, threads
    )
    typer.echo(f"{found} in {record}")
