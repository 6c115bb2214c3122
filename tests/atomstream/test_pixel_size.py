"""Stacks whose files do not say how large their pixels are, or say it wrongly."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from streamer.analysis import Flag, PixelSizeSource
from streamer.frame import Stream
from streamer.session.reader import SessionReader
from streamer.session.records import AnalysisRecord
from streamer.stacks import open_stack

type Run = Callable[..., object]

STREAM = Stream("a", "simulator", "HAADF")
PIXEL_NM = 3 / 192


@pytest.fixture
def analysed(
    tmp_path: Path, run: Run, movie: Path
) -> Callable[..., list[AnalysisRecord]]:
    """What a session holds once the movie was analysed, its calibration lost."""

    def analyses(*options: str) -> list[AnalysisRecord]:
        with open_stack(movie) as stack:
            images = [stack.frame(seq, STREAM).image for seq in range(len(stack))]
        np.save(tmp_path / "movie.npy", np.stack(images))
        record = tmp_path / "session"
        run("analyze", tmp_path / "movie.npy", "--record", record, *options)
        with SessionReader(record) as session:
            (stream,) = session.streams()
            records = list(session.analyses(stream.stream.id))
            for entry in records:
                whole = session.analysis(stream.stream.id, entry.frame.seq)
                assert whole.pixel_size_source is entry.pixel_size_source
        return records

    return analyses


@pytest.mark.parametrize(
    "options", [(), ("--estimate-pixel-size",)], ids=["nothing", "to estimate"]
)
def test_an_uncalibrated_movie_is_analysed_by_its_lattice(
    analysed: Callable[..., list[AnalysisRecord]], options: tuple[str, ...]
) -> None:
    records = analysed(*options)
    assert len(records) == 3
    for record in records:
        assert record.pixel_size_nm == pytest.approx(PIXEL_NM, rel=0.01)
        assert record.pixel_size_source is PixelSizeSource.LATTICE
        assert Flag.PIXEL_SIZE_ESTIMATED in record.flags
        assert record.frame.pixel_size_nm is None
        assert record.summary.counts["C"] > 200


def test_a_pixel_size_that_contradicts_the_lattice_is_used_and_flagged(
    analysed: Callable[..., list[AnalysisRecord]],
) -> None:
    for record in analysed("--pixel-size", str(PIXEL_NM * 1.2)):
        assert record.pixel_size_nm == pytest.approx(PIXEL_NM * 1.2)
        assert record.pixel_size_source is PixelSizeSource.TOLD
        assert record.frame.pixel_size_nm is None
        assert record.flags == (Flag.PIXEL_SIZE_DOUBTFUL,)
