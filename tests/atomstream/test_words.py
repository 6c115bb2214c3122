"""What is said of a lattice and of pixel sizes, a line an analysis or a stream."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from atomstream.words import analysis_in_words, drift_in_words
from inference.analyse import Analyser, History
from inference.catalogue import DEFAULT
from inference.model import load_model
from streamer.analysis import Analysis, Flag, Summary
from streamer.frame import Completeness, Frame, Stream
from streamer.session.exposure import Exposure
from streamer.session.records import AnalysisRecord, FrameRecord

ESTIMATED = (Flag.PIXEL_SIZE_ESTIMATED,)


@pytest.fixture(scope="module")
def blank() -> Analysis:
    stream = Stream("5f0c", "simulator", "HAADF")
    frame = Frame(stream, 3, np.ones((64, 64), np.float32), pixel_size_nm=0.02)
    return Analyser(load_model(DEFAULT)).analyse(frame, History())


def summary(constant_nm: float) -> Summary:
    return Summary(
        {"C": 900, "Si": 2}, 25.0, 36.1, 0.0, 0.142, 0.95,
        lattice_constant_nm=constant_nm,
        lattice_constant_sigma_nm=0.0001,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("constant_nm", "flags", "told_nm", "said"),
    [
        (0.246, (), None,
         "frame 3: 900 C, 2 Si, crystallinity 0.950, lattice 0.24600 ± 0.00010 nm, "
         "0.25 s after it came"),
        (math.nan, (Flag.TOO_NOISY,), None,
         "frame 3: 900 C, 2 Si, crystallinity 0.950, "
         "0.25 s after it came [too-noisy]"),
        (0.2214, (Flag.PIXEL_SIZE_DOUBTFUL,), 0.02,
         "frame 3: 900 C, 2 Si, crystallinity 0.950, lattice 0.22140 ± 0.00010 nm, "
         "0.25 s after it came [pixel-size-doubtful], pixel 0.02 nm by the lattice"),
        (0.246, ESTIMATED, 0.0156,
         "frame 3: 900 C, 2 Si, crystallinity 0.950, "
         "0.25 s after it came [pixel-size-estimated], pixel 0.0156 nm by the lattice"),
    ],
    ids=["known", "no lattice", "doubtful", "estimated"],
)  # fmt: skip
def test_an_analysis_says_what_its_lattice_tells(
    blank: Analysis,
    constant_nm: float,
    flags: tuple[Flag, ...],
    told_nm: float | None,
    said: str,
) -> None:
    found = replace(
        blank,
        summary=summary(constant_nm),
        flags=flags,
        latency_s=0.25,
        estimated_pixel_size_nm=told_nm,
    )
    assert analysis_in_words(found) == said


@pytest.fixture
def record(blank: Analysis) -> Callable[..., AnalysisRecord]:
    def record(
        seq: int,
        constant_nm: float,
        pixel_size_nm: float = 0.02,
        flags: tuple[Flag, ...] = (),
    ) -> AnalysisRecord:
        frame = FrameRecord(
            "5f0c", seq, 0, Exposure(0.0, 0.0), (64, 64), None, (0.0, 0.0),
            Completeness.COMPLETE, 64,
        )  # fmt: skip
        return AnalysisRecord(
            frame, blank.model, "CPU", pixel_size_nm, flags, summary(constant_nm),
            {}, 0.1,
        )  # fmt: skip

    return record


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([], None),
        ([(0, math.nan)], None),
        ([(0, math.nan), (4, 0.246)], "lattice 0.24600 ± 0.00010 nm in frame 4"),
        ([(0, 0.25), (1, 0.251), (2, 0.2495), (3, math.nan)],
         "lattice 0.25000 ± 0.00010 nm in frame 0, -0.20 % by frame 2 "
         "(all within -0.20 to +0.40 %)"),
        ([(0, 0.246, 0.02, ESTIMATED), (9, 0.246, 0.0198, ESTIMATED)],
         "lattice 12.3000 ± 0.0050 pixels in frame 0, +1.01 % by frame 9 "
         "(all within +0.00 to +1.01 %)"),
    ],
    ids=["no frame", "no lattice", "one frame", "nm", "pixels"],
)  # fmt: skip
def test_a_stream_says_how_its_lattice_drifts(
    record: Callable[..., AnalysisRecord],
    frames: list[tuple[object, ...]],
    said: str | None,
) -> None:
    assert drift_in_words([record(*each) for each in frames]) == said
