"""Frames that take different time, and two models that are told apart by hash only."""

import json
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from inference.analyse import History
from inference.catalogue import DEFAULT, find_model
from inference.engines.engine import Job
from inference.model_files import ModelFiles, read_model
from streamer.analysis import Analysis
from streamer.frame import Frame, Stream
from streamer.simulator.microscope import Microscope
from streamer.simulator.movie import Movie, simulate

type AsBytes = Callable[[Analysis], tuple[object, ...]]
STREAM = Stream("5f0c", "simulator", "HAADF")
FIELD_NM = {False: 2.0, True: 4.0}


@pytest.fixture(scope="session")
def jobs() -> list[Job]:
    """Eight frames of 128 x 128 and, the first, of 256 x 256: it takes longest."""
    frames = [*_movie(1, slow=True), *_movie(7, slow=False)]
    return [
        Job(
            Frame(STREAM, seq, image, pixel_size_nm=2 / 128, metadata={"seq": seq}),
            History(time_s=33.5 * seq),
        )
        for seq, image in enumerate(frames)
    ]


def _movie(frames: int, *, slow: bool) -> list[np.ndarray]:
    field_nm = FIELD_NM[slow]
    side = round(field_nm * 64)
    microscope = Microscope(shape=(side, side), field_nm=field_nm)
    movie = Movie(frames=frames, microscope=microscope, blob_radius_nm=0)
    return [exposure.image for exposure in simulate(movie, seed=5)]


@pytest.fixture(scope="session")
def shipped() -> ModelFiles:
    return read_model(find_model(DEFAULT))


@pytest.fixture(scope="session")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """The same networks on a card of another name, and so of another hash."""
    folder = tmp_path_factory.mktemp("models") / "renamed"
    shutil.copytree(find_model(DEFAULT), folder)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"name": "renamed"}))
    return read_model(Path(folder))


@pytest.fixture(scope="session")
def as_bytes() -> AsBytes:
    """All of an analysis except for how long it took."""

    def contents(analysis: Analysis) -> tuple[object, ...]:
        columns = analysis.atoms.columns()
        return (
            analysis.seq,
            analysis.model,
            analysis.flags,
            analysis.time_s,
            numbers(analysis),
            {name: column.tobytes() for name, column in columns.items()},
            analysis.preview.image.tobytes(),
        )

    return contents


def numbers(analysis: Analysis) -> dict[str, str]:
    """The summary, NaN equal to NaN."""
    summary = analysis.summary
    names = [field.name for field in fields(summary) if field.name != "counts"]
    measured = {name: str(getattr(summary, name)) for name in names}
    return measured | {name: str(n) for name, n in summary.counts.items()}
