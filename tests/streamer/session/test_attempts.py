"""Which analyses were begun, which frames are set aside, and how they come back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamer.analysis import Analysis
from streamer.frame import Frame
from streamer.session.analyst import AnalysisRecorder
from streamer.session.attempts import retry
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import FrameKey
from streamer.session.verify import verify

KEYS = [FrameKey("5f0c", seq) for seq in range(3)]


@pytest.fixture
def analyst(
    tmp_path: Path, make_frame: Callable[..., Frame]
) -> Iterator[AnalysisRecorder]:
    with FrameRecorder(tmp_path) as recorder:
        for key in KEYS:
            recorder.commit_frame(make_frame(key.seq), 0)
    with AnalysisRecorder(tmp_path) as analyst:
        yield analyst


@pytest.fixture
def session(analyst: AnalysisRecorder, tmp_path: Path) -> Iterator[SessionReader]:
    assert analyst
    with SessionReader(tmp_path) as session:
        yield session


def tries(session: SessionReader) -> dict[int, int]:
    return {each.key.seq: each.tries for each in session.attempts()}


def test_tries_are_counted_until_there_is_an_analysis(
    analyst: AnalysisRecorder,
    session: SessionReader,
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
) -> None:
    analyst.begin(KEYS[:2])
    analyst.begin(KEYS[:1])
    assert tries(session) == {0: 2, 1: 1}
    analyst.take_back(KEYS[:2])
    assert tries(session) == {0: 1}
    analyst.commit_analysis(make_analysis(make_frame(0)))
    assert tries(session) == {}


def test_a_frame_that_is_set_aside_is_not_pending_until_it_is_wanted(
    analyst: AnalysisRecorder, session: SessionReader
) -> None:
    analyst.begin(KEYS[1:2])
    analyst.set_aside(KEYS[1], "it kills")
    analyst.set_aside(KEYS[2], "it cannot be read")
    assert session.pending() == KEYS[:1]
    assert session.streams()[0].aside == 2
    assert [(a.key, a.tries, a.reason) for a in session.set_aside()] == [
        (KEYS[1], 1, "it kills"),
        (KEYS[2], 0, "it cannot be read"),
    ]
    found = verify(session.folder)
    assert found.whole
    assert len(found.aside) == 2
    assert retry(session.folder, [2], now_ns=5) == 1
    assert session.pending() == [KEYS[0], KEYS[2]]
    assert retry(session.folder, [], now_ns=6) == 1
    assert session.pending() == KEYS
    assert tries(session) == {}
    assert retry(session.folder, [], now_ns=7) == 0
    assert [(e.time_ns, e.kind) for e in session.events()] == [
        (5, "retry"),
        (6, "retry"),
    ]
