import re
from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.analysis import Analysis
from streamer.errors import SessionError
from streamer.frame import Frame
from streamer.session.analyst import AnalysisRecorder
from streamer.session.creation import create_session
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.verify import verify


@pytest.fixture
def folder(
    tmp_path: Path,
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
) -> Path:
    """Session of three frames, of which two are analysed and one before is lost."""
    with FrameRecorder(tmp_path) as recorder, AnalysisRecorder(tmp_path) as analyst:
        recorder.commit_gap(make_frame().stream, 0, 0, "too late", 99)
        for seq in (1, 2, 3):
            recorder.commit_frame(make_frame(seq), received_ns=0)
        recorder.commit_end(make_frame().stream, 4)
        for seq in (1, 2):
            analyst.commit_analysis(make_analysis(make_frame(seq)))
    return tmp_path


def test_a_whole_session_is_whole_with_its_known_gaps(folder: Path) -> None:
    found = verify(folder)
    assert found.whole
    assert (found.totals.frames, found.totals.analyses, found.totals.lost) == (3, 2, 1)
    assert [(gap.first, gap.last, gap.reason) for gap in found.gaps] == [
        (0, 0, "too late")
    ]


def test_an_empty_session_is_whole(tmp_path: Path) -> None:
    create_session(tmp_path)
    assert verify(tmp_path).whole


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    ("name", "damage", "problem"),
    [
        ("frames/000001.tif", Path.unlink, "is not there"),
        ("frames/000001.tif", flip_a_bit, "has other content than was written"),
        ("frames/000001.tif", cut_short, r"has 100 bytes, \d+ were written"),
        ("atoms/000002.parquet", Path.unlink, "is not there"),
        ("atoms/000002.parquet", flip_a_bit, "has other content than was written"),
        ("atoms/000004.parquet", Path.touch, "no frame or analysis names it"),
        ("frames/.000004.tif.tmp", Path.touch, "no frame or analysis names it"),
    ],
)
def test_names_what_is_wrong(
    folder: Path, name: str, damage: Callable[[Path], object], problem: str
) -> None:
    damage(folder / name)
    (line,) = verify(folder).problems
    assert re.fullmatch(f"{re.escape(name)}: {problem}", line)


@pytest.mark.parametrize(
    "read",
    [
        lambda session: session.frame("5f0c", 1),
        lambda session: session.atoms("5f0c", 1),
        lambda session: session.analysis("5f0c", 1),
    ],
    ids=["frame", "atoms", "analysis"],
)
@pytest.mark.parametrize("damage", [flip_a_bit, cut_short])
def test_what_is_damaged_is_never_shown(
    folder: Path,
    read: Callable[[SessionReader], object],
    damage: Callable[[Path], None],
) -> None:
    damage(folder / "frames" / "000001.tif")
    damage(folder / "atoms" / "000001.parquet")
    with (
        SessionReader(folder) as session,
        pytest.raises(
            SessionError,
            match=r"000001\.(tif|parquet) is damaged: "
            r"its checksum is not the one in the index$",
        ),
    ):
        read(session)


def test_frames_that_nobody_has_an_account_of_are_named(
    folder: Path, make_frame: Callable[..., Frame]
) -> None:
    with FrameRecorder(folder) as recorder:
        recorder.commit_end(make_frame().stream, 9)
    assert verify(folder).problems == (
        "stream 5f0c: frames 4 to 8 are neither here nor in the ledger of gaps",
    )


def test_frames_that_are_here_and_in_the_ledger_of_gaps_are_named(
    folder: Path, make_frame: Callable[..., Frame]
) -> None:
    with FrameRecorder(folder) as recorder:
        recorder.commit_gap(make_frame().stream, 2, 9, "not so", 99)
    (problem,) = verify(folder).problems
    assert "of frames 2 to 9, which the ledger of gaps says are lost" in problem


def test_a_session_that_is_being_written_is_whole(
    folder: Path, make_frame: Callable[..., Frame]
) -> None:
    with FrameRecorder(folder) as recorder:

        def commit_meanwhile(checked: int, _files: int) -> None:
            recorder.commit_frame(make_frame(3 + checked), received_ns=0)

        assert verify(folder, commit_meanwhile).whole


def test_tells_how_far_it_is(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    verify(folder, lambda checked, files: told.append((checked, files)))
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
