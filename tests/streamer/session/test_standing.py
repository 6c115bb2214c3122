"""How a session stands, told from real files while it is written to."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamer.analysis import Analysis
from streamer.frame import Frame
from streamer.service_state import FREE_STEP_BYTES, Recorded
from streamer.session.analyst import AnalysisRecorder
from streamer.session.creation import create_session
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import FrameKey
from streamer.session.spool import Shortage, Spool
from streamer.session.standing import Standing, bytes_per_s

type MakeFrame = Callable[..., Frame]
type MakeAnalysis = Callable[..., Analysis]

S = 10**9


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[Standing]:
    folder = tmp_path / "today"
    create_session(folder)
    with SessionReader(folder) as session:
        yield Standing(session, Spool(tmp_path / "spool"))


def commit(standing: Standing, frame: Frame, received_s: int) -> int:
    """Record a frame; returns the bytes of its file."""
    with FrameRecorder(standing.session.folder) as recorder:
        recorder.commit_frame(frame, received_s * S)
    return standing.session.newest(1)[0][1]


def test_frames_wait_until_they_are_analysed_or_set_aside(
    standing: Standing, make_frame: MakeFrame, make_analysis: MakeAnalysis
) -> None:
    counted = []
    for seq in range(4):
        commit(standing, make_frame(seq), 33 * seq)
    counted.append(counts(standing))
    with AnalysisRecorder(standing.session.folder) as recorder:
        recorder.commit_analysis(make_analysis(make_frame(0)))
        counted.append(counts(standing))
        recorder.set_aside(FrameKey(make_frame(1).stream.id, 1), "it kills")
        counted.append(counts(standing))
    assert counted == [(4, 4, 4, 0), (4, 4, 3, 0), (4, 4, 2, 1)]


def counts(standing: Standing) -> tuple[int, int, int, int]:
    state = standing.state()
    return state.received, state.committed, state.waiting, state.aside


def test_frames_in_memory_have_come_and_are_not_committed(
    standing: Standing, make_frame: MakeFrame
) -> None:
    commit(standing, make_frame(0), 0)
    standing.spool.put(make_frame(1), S)
    standing.spool.put(make_frame(2), 2 * S)
    standing.spool.say(Shortage("NOT RECORDING: no space", S))
    state = standing.state()
    assert counts(standing) == (3, 1, 3, 0)
    assert (state.recorded, state.reason) == (Recorded.NO, "NOT RECORDING: no space")
    standing.shown = frozenset({FrameKey(make_frame(1).stream.id, 1)})
    assert counts(standing) == (3, 1, 2, 0)
    standing.spool.say(None)
    assert standing.state().recorded is Recorded.YES
    standing.refused = "NOT RECORDING: read-only"
    assert standing.state().reason == "NOT RECORDING: read-only"


def test_the_disk_that_is_meant_is_that_of_the_session(standing: Standing) -> None:
    state = standing.state()
    free = shutil.disk_usage(standing.session.folder).free
    assert state.session == "today"
    assert state.free_bytes == pytest.approx(free, abs=3 * FREE_STEP_BYTES)
    assert state.free_bytes is not None
    assert state.free_bytes % FREE_STEP_BYTES == 0


def test_a_disk_that_is_gone_leaves_what_was_known(
    standing: Standing, make_frame: MakeFrame
) -> None:
    commit(standing, make_frame(0), 0)
    assert standing.state().free_bytes is not None
    folder = standing.session.folder
    folder.rename(folder.with_name("elsewhere"))
    state = standing.state()
    assert (state.committed, state.free_bytes) == (1, None)


def test_the_rate_is_that_of_what_came_lately(
    standing: Standing, make_frame: MakeFrame
) -> None:
    sizes = [commit(standing, make_frame(seq), 10 * seq) for seq in range(3)]
    assert standing.state().bytes_per_s == pytest.approx(sum(sizes) / 3 / 10)


@pytest.mark.parametrize(
    ("newest", "rate"),
    [
        ([], None),
        ([(5 * S, 100)], None),
        ([(5 * S, 100), (5 * S, 100)], None),
        ([(6 * S, 300), (5 * S, 100)], 200.0),
        # An hour in which nothing came does not slow down those that come.
        ([(3610 * S, 100), (3608 * S, 100), (2 * S, 100), (0, 100)], 50.0),
    ],
)
def test_a_rate_needs_two_frames_and_time_between_them(
    newest: list[tuple[int, int]], rate: float | None
) -> None:
    assert bytes_per_s(newest) == rate
