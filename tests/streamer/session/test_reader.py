import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamer.analysis import Analysis
from streamer.errors import SessionError
from streamer.frame import Frame, Stream
from streamer.session.analyst import AnalysisRecorder
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[FrameRecorder]:
    with FrameRecorder(tmp_path) as recorder:
        yield recorder


@pytest.fixture
def session(recorder: FrameRecorder, tmp_path: Path) -> Iterator[SessionReader]:
    assert recorder
    with SessionReader(tmp_path) as session:
        yield session


def test_a_poller_sees_that_something_was_committed(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    before = session.version()
    assert session.version() == before
    recorder.commit_frame(make_frame(), received_ns=0)
    assert session.version() != before
    assert session.version() == session.version()


def test_what_is_committed_is_seen_at_once(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    for seq in range(3):
        recorder.commit_frame(make_frame(seq), received_ns=0)
        assert session.totals().frames == seq + 1
        assert session.frame("5f0c", seq).seq == seq


def test_frames_are_listed_by_their_number_not_by_their_arrival(
    recorder: FrameRecorder, session: SessionReader, make_frame: Callable[..., Frame]
) -> None:
    for seq in (2, 0, 1):
        recorder.commit_frame(make_frame(seq), received_ns=0)
    assert [record.seq for record in session.frames("5f0c")] == [0, 1, 2]
    assert [key.seq for key in session.pending()] == [2, 0, 1]


def test_a_reader_changes_nothing(
    recorder: FrameRecorder,
    session: SessionReader,
    tmp_path: Path,
    make_frame: Callable[..., Frame],
) -> None:
    recorder.commit_frame(make_frame(), received_ns=0)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tif")}
    session.streams(), session.frame("5f0c", 0), session.pending(), session.totals()
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tif")}


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (lambda s: s.frame("5f0c", 4), "has no frame 4 of stream 5f0c"),
        (lambda s: s.frame("other", 0), "has no frame 0 of stream other"),
        (lambda s: s.exposure("5f0c", 4), "has no frame 4 of stream 5f0c"),
        (lambda s: s.atoms("5f0c", 0), "has no analysis of a frame 0 of stream 5f0c"),
        (lambda s: s.analysis("5f0c", 0), "has no analysis of a frame 0 of stream"),
    ],
    ids=["frame", "stream", "exposure", "atoms", "analysis"],
)
def test_what_is_not_there_is_said(
    recorder: FrameRecorder,
    session: SessionReader,
    tmp_path: Path,
    make_frame: Callable[..., Frame],
    ask: Callable[[SessionReader], object],
    line: str,
) -> None:
    recorder.commit_frame(make_frame(), received_ns=0)
    with pytest.raises(SessionError, match=f"^{re.escape(f'{tmp_path} {line}')}"):
        ask(session)


def test_the_totals_count_every_file(
    recorder: FrameRecorder,
    session: SessionReader,
    tmp_path: Path,
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
) -> None:
    recorder.commit_frame(make_frame(), received_ns=0)
    with AnalysisRecorder(tmp_path) as analyst:
        analyst.commit_analysis(make_analysis(make_frame()))
    files = [*tmp_path.glob("frames/*.tif"), *tmp_path.glob("atoms/*.parquet")]
    assert session.totals().bytes == sum(path.stat().st_size for path in files)


def test_a_session_on_a_write_protected_disk_is_read(
    tmp_path: Path, make_frame: Callable[..., Frame]
) -> None:
    with FrameRecorder(tmp_path) as recorder:
        recorder.commit_frame(make_frame(), received_ns=0)
    tmp_path.chmod(0o555)
    try:
        with SessionReader(tmp_path) as session:
            assert session.frame("5f0c", 0).seq == 0
    finally:
        tmp_path.chmod(0o755)


def test_gaps_of_any_length_can_be_added_up(
    recorder: FrameRecorder, session: SessionReader
) -> None:
    for run in "abc":
        recorder.commit_gap(Stream(run, "nion", "BF"), 0, 2**63 - 2, "claimed", 0)
    assert session.totals().lost == 2**63 - 1
