"""`atomstream simulate`: a movie with its exact truth, as files."""

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT.tif", help="Movie to write.")],
    frames: Annotated[int, typer.Option(min=1, max=100_000, help="Frames.")] = 50,
    size: Annotated[int, typer.Option(min=64, max=4096, help="Pixels a side.")] = 1024,
    field_of_view: Annotated[
        float, typer.Option(metavar="NM", min=1, max=100, help="Side of the field, nm.")
    ] = 16.0,
    dose: Annotated[
        float,
        typer.Option(
            min=0.01, max=100, help="Relative to 20 pA x 33.5 s over 16 nm a side."
        ),
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same movie.")] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.")
    ] = False,
) -> None:
    """Simulate Si-doped graphene under the beam: OUT.tif and its truth beside it.

    OUT.truth.parquet holds every atom of every frame: true position, species,
    coordination, orientation and order.

    Example: atomstream simulate movie.tif --frames 20 --seed 7
    """
    from atomstream.filming import film
    from streamer.simulator.microscope import scaled_microscope

    truth = film(
        out, frames, scaled_microscope(size, field_of_view, dose), seed, overwrite
    )
    typer.echo(f"{frames} frames in {out}, their truth in {truth}")
