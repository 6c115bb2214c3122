import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamer.analysis import Analysis, ModelId
from streamer.atoms import Atoms
from streamer.errors import SessionError
from streamer.frame import Frame
from streamer.session.analyst import AnalysisRecorder
from streamer.session.durable import write_file
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder


@pytest.fixture
def frames(tmp_path: Path, make_frame: Callable[..., Frame]) -> Iterator[list[Frame]]:
    with FrameRecorder(tmp_path) as recorder:
        committed = [make_frame(seq) for seq in range(3)]
        for frame in committed:
            recorder.commit_frame(frame, received_ns=0)
        yield committed


@pytest.fixture
def analyst(frames: list[Frame], tmp_path: Path) -> Iterator[AnalysisRecorder]:
    assert frames
    with AnalysisRecorder(tmp_path) as analyst:
        yield analyst


@pytest.fixture
def session(frames: list[Frame], tmp_path: Path) -> Iterator[SessionReader]:
    assert frames
    with SessionReader(tmp_path) as session:
        yield session


@pytest.mark.parametrize("atoms", [0, 40])
def test_an_analysis_comes_back_as_it_was(
    analyst: AnalysisRecorder,
    session: SessionReader,
    frames: list[Frame],
    make_analysis: Callable[..., Analysis],
    same_atoms: Callable[[Atoms, Atoms], None],
    atoms: int,
) -> None:
    given = make_analysis(frames[1], atoms, time_s=33.5, dose_e_nm2=2e6)
    assert analyst.commit_analysis(given)
    found = session.analysis("5f0c", 1)
    for name in (
        "stream", "seq", "model", "provider", "shape", "pixel_size_nm", "origin_nm",
        "time_s", "dose_e_nm2", "completeness", "flags", "stages_ms", "latency_s",
        "estimated_pixel_size_nm",
    ):  # fmt: skip
        assert getattr(found, name) == getattr(given, name), name
    assert list(found.stages_ms) == ["segment", "locate"]
    same_atoms(found.atoms, given.atoms)
    same_atoms(session.atoms("5f0c", 1), given.atoms)
    assert found.summary.counts == given.summary.counts
    assert found.summary.bond_length_nm == 0.142
    assert found.summary.lattice_constant_nm == 0.246
    assert found.summary.lattice_constant_sigma_nm == 0.0001
    assert found.summary.histograms == given.summary.histograms
    assert math.isnan(found.summary.mean_crystallinity)
    assert (found.preview.image == given.preview.image).all()
    assert found.preview.low == given.preview.low


def test_a_frame_has_one_analysis(
    analyst: AnalysisRecorder,
    session: SessionReader,
    frames: list[Frame],
    make_analysis: Callable[..., Analysis],
) -> None:
    assert analyst.commit_analysis(make_analysis(frames[0], atoms=4))
    assert not analyst.commit_analysis(make_analysis(frames[0], atoms=9))
    assert len(session.atoms("5f0c", 0)) == 4
    assert session.totals().analyses == 1


def test_what_is_not_analysed_is_pending_in_order_of_commit(
    analyst: AnalysisRecorder,
    session: SessionReader,
    frames: list[Frame],
    make_analysis: Callable[..., Analysis],
) -> None:
    assert session.pending() == [("5f0c", 0), ("5f0c", 1), ("5f0c", 2)]
    analyst.commit_analysis(make_analysis(frames[1]))
    assert session.pending() == [("5f0c", 0), ("5f0c", 2)]
    assert session.analysed("5f0c") == [("5f0c", 1)]


def test_an_analysis_without_its_frame_is_refused(
    analyst: AnalysisRecorder,
    tmp_path: Path,
    make_frame: Callable[..., Frame],
    make_analysis: Callable[..., Analysis],
) -> None:
    line = (
        f"{tmp_path}: an analysis of frame 8 of stream 5f0c, "
        "which is not in the session"
    )
    with pytest.raises(SessionError, match=f"^{re.escape(line)}$"):
        analyst.commit_analysis(make_analysis(make_frame(8)))


def test_every_analysis_names_the_model_that_made_it(
    analyst: AnalysisRecorder,
    session: SessionReader,
    frames: list[Frame],
    make_analysis: Callable[..., Analysis],
) -> None:
    models = [
        ModelId("compact", "ab" * 32, ("crystallinity", "z1"), 2.0),
        ModelId("compact", "cd" * 32, ("crystallinity",), 1.0),
        ModelId("compact", "ab" * 32, ("crystallinity", "z1"), 2.0),
    ]
    for frame, model in zip(frames, models, strict=True):
        analyst.commit_analysis(make_analysis(frame, model=model))
    assert [record.model for record in session.analyses("5f0c")] == models


def test_a_crash_between_table_and_row_leaves_nothing(
    tmp_path: Path, frames: list[Frame], make_analysis: Callable[..., Analysis]
) -> None:
    AnalysisRecorder(tmp_path).close()
    atoms = tmp_path / "atoms"
    write_file(atoms / "000000.parquet", b"its row was never committed")
    (atoms / ".000001.parquet.tmp").write_bytes(b"half")
    with AnalysisRecorder(tmp_path) as analyst:
        assert list(atoms.iterdir()) == []
        assert analyst.commit_analysis(make_analysis(frames[0]))
    AnalysisRecorder(tmp_path).close()
    with SessionReader(tmp_path) as session:
        assert len(session.atoms("5f0c", 0)) == 7


def test_the_analysis_leaves_the_recorders_unfinished_files_alone(
    tmp_path: Path,
) -> None:
    FrameRecorder(tmp_path).close()
    being_written = tmp_path / "frames" / ".000003.tif.tmp"
    being_written.touch()
    AnalysisRecorder(tmp_path).close()
    assert being_written.exists()


def test_events_of_the_analysis_are_kept(
    analyst: AnalysisRecorder, session: SessionReader
) -> None:
    analyst.commit_event(5, "analysis", "started")
    assert [event.text for event in session.events()] == ["started"]
