"""Whatever the bytes of a session are, it opens or says in one line why not."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.analysis import Analysis
from streamer.errors import SessionError
from streamer.frame import Frame
from streamer.session.analyst import AnalysisRecorder
from streamer.session.export import export
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.verify import verify


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory,
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    with FrameRecorder(folder) as recorder, AnalysisRecorder(folder) as analyst:
        for seq in range(3):
            recorder.commit_frame(make_frame(seq), received_ns=0)
            analyst.commit_analysis(make_analysis(make_frame(seq)))
        recorder.commit_gap(make_frame().stream, 3, 4, "no answer", 99)
        recorder.commit_event(0, "recorder", "started")
    return folder


def read_everything(folder: Path) -> None:
    with SessionReader(folder) as session:
        session.totals(), session.gaps(), session.events(), session.pending()
        for record in session.streams():
            session.next_seq(record.stream.id)
            for frame in session.frames(record.stream.id):
                session.frame(frame.stream_id, frame.seq)
            for analysis in session.analyses(record.stream.id):
                session.analysis(record.stream.id, analysis.frame.seq)
        export(session, folder.parent / "atoms.csv", overwrite=True)


def open_if_possible(folder: Path, use: Callable[[Path], object]) -> str:
    said = ""
    try:
        use(folder)
    except SessionError as error:
        said = str(error)
    assert "\n" not in said
    return said


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_index_is_read_or_refused(
    whole: Path, tmp_path: Path, seed: int
) -> None:
    folder = tmp_path / "session"
    shutil.copytree(whole, folder)
    index = folder / "session.sqlite"
    data = bytearray(index.read_bytes())
    rng = random.Random(seed)
    for _ in range(rng.choice([1, 3, 30, 300])):
        data[rng.randrange(len(data))] = rng.randrange(256)
    index.write_bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
    for use in (read_everything, verify):
        open_if_possible(folder, use)


@pytest.mark.parametrize(
    "make_room",
    [
        lambda folder: shutil.rmtree(folder / "frames"),
        lambda folder: shutil.rmtree(folder / "atoms"),
        lambda folder: (folder / "frames" / "000000.tif").unlink(),
    ],
    ids=["frames", "atoms", "one frame"],
)
def test_what_is_gone_is_named(
    whole: Path, tmp_path: Path, make_room: Callable[[Path], object]
) -> None:
    folder = tmp_path / "session"
    shutil.copytree(whole, folder)
    make_room(folder)
    assert "No such file or directory" in open_if_possible(folder, read_everything)
    assert verify(folder).problems
