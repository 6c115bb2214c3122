"""A simulated movie as files: the frames, and the truth beside them."""

from pathlib import Path

from atomstream.progress import progress_bar
from atomstream.truth_table import write_truth
from streamer.errors import SettingsError
from streamer.frame import Frame, Stream
from streamer.simulator.microscope import Microscope
from streamer.simulator.movie import CHANNEL, SOURCE, Exposure, Movie, simulate
from streamer.stacks import write_tiff_stack

EPOCH_NS = 1_577_836_800 * 10**9
"""2020-01-01: simulated time has to begin somewhere, the same for the same seed."""


def film(
    out: Path, frames: int, microscope: Microscope, seed: int, overwrite: bool
) -> Path:
    """Write the movie to `out`; the path of the truth that is written beside it."""
    truth_path = out.with_suffix(".truth.parquet")
    check_output(out, truth_path, overwrite=overwrite)
    movie = Movie(frames=frames, microscope=microscope)
    stream = Stream("", SOURCE, CHANNEL)
    with progress_bar("simulating") as report, write_truth(truth_path) as write:

        def watched(exposure: Exposure) -> Frame:
            write(exposure)
            report(exposure.index + 1, frames)
            return exposure.frame(stream, EPOCH_NS)

        write_tiff_stack(out, map(watched, simulate(movie, seed)), frames)
    return truth_path


def check_output(movie: Path, truth: Path, *, overwrite: bool) -> None:
    """Refuse an ending that is not TIFF's, and files that are already there.

    Raises
    ------
    SettingsError
        As said.
    """
    if movie.suffix.lower() not in (".tif", ".tiff"):
        raise SettingsError(f"{movie}: a movie is written as .tif")
    if not movie.parent.is_dir():
        raise SettingsError(f"{movie.parent} is not a folder; make it first")
    for path in (movie, truth):
        if path.exists() and not overwrite:
            raise SettingsError(f"{path} is there already; --overwrite replaces it")
