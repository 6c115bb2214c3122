"""`atomstream simulate`: a movie with its exact truth, as files."""

from pathlib import Path
from typing import Annotated

import typer

from atomstream.progress import progress_bar
from atomstream.truth_table import write_truth
from streamer.errors import SettingsError
from streamer.frame import Frame, Stream
from streamer.simulator.microscope import Microscope
from streamer.simulator.movie import CHANNEL, SOURCE, Exposure, Movie
from streamer.simulator.movie import simulate as simulate_movie
from streamer.stacks.tiff_writer import write_tiff_stack

EPOCH_NS = 1_577_836_800 * 10**9
"""2020-01-01: simulated time has to begin somewhere, the same for the same seed."""


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
    truth_path = out.with_suffix(".truth.parquet")
    check_output(out, truth_path, overwrite=overwrite)
    movie = Movie(
        frames=frames, microscope=scaled_microscope(size, field_of_view, dose)
    )
    stream = Stream("", SOURCE, CHANNEL)
    with progress_bar("simulating") as report, write_truth(truth_path) as write:

        def watched(exposure: Exposure) -> Frame:
            write(exposure)
            report(exposure.index + 1, frames)
            return exposure.frame(stream, EPOCH_NS)

        write_tiff_stack(out, map(watched, simulate_movie(movie, seed)), frames)
    typer.echo(f"{frames} frames in {out}, their truth in {truth_path}")


def scaled_microscope(size_px: int, field_nm: float, dose: float) -> Microscope:
    """The paper's microscope with another frame size, field of view and dose."""
    nominal = Microscope()
    area_share = (field_nm / nominal.field_nm) ** 2
    return Microscope(
        shape=(size_px, size_px),
        field_nm=field_nm,
        frame_time_s=nominal.frame_time_s * area_share * dose,
    )


def check_output(movie: Path, truth: Path, *, overwrite: bool) -> None:
    """Refuse an ending that is not TIFF's, and files that are already there.

    Raises
    ------
    SettingsError
        As said.
    """
    if movie.suffix.lower() not in (".tif", ".tiff"):
        raise SettingsError(f"{movie}: a movie is written as .tif")
    for path in (movie, truth):
        if path.exists() and not overwrite:
            raise SettingsError(f"{path} is there already; --overwrite replaces it")
