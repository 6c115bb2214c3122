"""Options that several of the training commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Device(StrEnum):
    """Where to train."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Window(StrEnum):
    """What the paper's encoder sees around an atom."""

    SMALL = "small"
    LARGE = "large"


Out = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder that becomes the model.")
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same weights.")]
Steps = Annotated[
    int | None,
    typer.Option(min=20, max=10_000_000, help="Batches, instead of the recipe's."),
]
Scale = Annotated[
    float,
    typer.Option(
        min=0.001,
        max=1,
        help="Share of the recipe's simulations and batches, to try things out.",
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        "--threads",
        min=1,
        max=64,
        help="Of the training; the weights may depend on their number.",
    ),
]
On = Annotated[
    Device, typer.Option("--device", help="auto: CUDA if there is one, else the CPU.")
]
Kind = Annotated[
    str,
    typer.Option(
        "--kind",
        metavar="NAME",
        help="Design of the encoder: default, paper (its authors' loss), or printed "
        "(the loss as the paper prints it).",
    ),
]
WindowOf = Annotated[
    Window | None,
    typer.Option("--window", help="Of the kinds paper and printed: 0.5 or 1 nm wide."),
]
Base = Annotated[
    str,
    typer.Option(
        "--base", metavar="NAME|DIR", help="Model whose other network is taken over."
    ),
]
Measure = Annotated[
    bool,
    typer.Option(
        "--measure/--no-measure", help="Measure it on held-out movies, for its card."
    ),
]
Restart = Annotated[
    bool, typer.Option("--restart", help="Give up what DIR has of another training.")
]
