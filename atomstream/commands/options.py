"""Options that several commands share, so that they mean the same everywhere."""

import math
from pathlib import Path
from typing import Annotated

import typer

from atomstream.engines import EngineChoice, EngineKind
from inference.card import Card
from inference.device import Device, cores_here, default_threads
from streamer.errors import SettingsError

PixelSize = Annotated[
    float | None,
    typer.Option(
        "--pixel-size",
        metavar="NM",
        help="Side of a pixel in nm, instead of the calibration in the data.",
    ),
]
EstimatePixelSize = Annotated[
    bool,
    typer.Option(
        "--estimate-pixel-size",
        help="Take the pixel size from each frame's own lattice, whatever the data "
        "say; without it, only where they say nothing.",
    ),
]
ModelName = Annotated[
    str,
    typer.Option("--model", metavar="NAME|DIR", help="A shipped model, or a folder."),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        max=64,
        help="That analyse a frame, on each worker too; by default all cores but one, "
        "both of two, at most 8.",
    ),
]
Refine = Annotated[
    bool,
    typer.Option(
        "--refine/--no-refine",
        help="Measure positions by a fit to the frame, with uncertainties, or leave "
        "them as the network has them, several times as fast.",
    ),
]
DeviceName = Annotated[
    Device,
    typer.Option(
        "--device", help="Where the networks run; auto: CUDA if it works, else CPU."
    ),
]
EngineName = Annotated[
    EngineKind,
    typer.Option("--engine", help="Analyse here, or on the workers of a Dask cluster."),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="URL", help="Of the Dask cluster."),
]
Channel = Annotated[
    str | None,
    typer.Option("--channel", metavar="NAME", help="Detector channel of the stack."),
]
SessionFolder = Annotated[
    Path, typer.Argument(metavar="SESSION", help="A session folder.")
]


def check_pixel_size(pixel_size_nm: float | None, estimate: bool = False) -> None:
    """Refuse a pixel size that no atom-resolved frame has.

    Raises
    ------
    SettingsError
        Not between 0.1 pm and 1 nm, or to be told and estimated at once.
    """
    if estimate and pixel_size_nm is not None:
        raise SettingsError(
            "--pixel-size and --estimate-pixel-size contradict each other; give one"
        )
    if pixel_size_nm is None:
        return
    if not (math.isfinite(pixel_size_nm) and 1e-4 <= pixel_size_nm <= 1):
        raise SettingsError(
            f"--pixel-size {pixel_size_nm:g}: expected nm per pixel between 0.0001 "
            "and 1, for instance 0.0156 for 1024 pixels over 16 nm"
        )


def threads_or_default(threads: int | None) -> int:
    """As many as were asked for, or else as this machine can give."""
    return default_threads(cores_here()) if threads is None else threads


def engine_choice(
    kind: EngineKind,
    scheduler: str | None,
    threads: int | None,
    device: Device,
    refine: bool,
) -> EngineChoice:
    """The engine that the options ask for.

    Raises
    ------
    SettingsError
        They do not go together, or ask for what is not here.
    """
    choice = EngineChoice(kind, scheduler, threads_or_default(threads), device, refine)
    choice.check()
    return choice


def warn_of_trial(card: Card) -> None:
    """Say on stderr that a model was made to try things out, if it was."""
    if card.trial:
        typer.echo(f"warning: {card.name}: {card.trial}", err=True)


def host_and_port(text: str, option: str) -> tuple[str, int]:
    """Address and port from HOST:PORT.

    Raises
    ------
    SettingsError
        Of another form, or a port that is none.
    """
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdigit() and int(port) < 65536):
        raise SettingsError(
            f"{option} {text}: expected HOST:PORT, for instance 127.0.0.1:5006"
        )
    return host.strip("[]"), int(port)
