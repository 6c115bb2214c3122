"""Frames read again from a real session folder."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dashboard.archive import Answer, Archive, Request, Visitor
from dashboard.history import first_bins
from dashboard.scene import scene
from streamer.analysis import Analysis
from streamer.frame import Frame
from streamer.session.analyst import AnalysisRecorder
from streamer.session.recorder import FrameRecorder

type Movie = Callable[[int], Analysis]

WITHIN_S = 30.0
SEQS = (2, 3, 5, 8)


@pytest.fixture
def folder(movie: Movie, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    with FrameRecorder(folder) as frames, AnalysisRecorder(folder) as analyses:
        for analysis in map(movie, SEQS):
            image = analysis.preview.image.astype(np.float32)
            frame = Frame(analysis.stream, analysis.seq, image, analysis.pixel_size_nm)
            frames.commit_frame(frame, received_ns=0)
            analyses.commit_analysis(analysis)
    return folder


@pytest.fixture
def archive(folder: Path) -> Iterator[Archive]:
    with Archive(folder) as archive:
        yield archive


class Client:
    """A page that waits for each of its answers."""

    def __init__(self, archive: Archive) -> None:
        self.visitor: Visitor = archive.visitor()
        self.ready = threading.Event()
        self.visitor.listen(self.ready.set)

    def answer(self, request: Request) -> Answer:
        self.visitor.ask(request)
        while True:
            assert self.ready.wait(WITHIN_S)
            self.ready.clear()
            answer = self.visitor.take()
            # One that was being read when this was asked for comes first.
            if answer is not None and answer.request is request:
                return answer


def wanted(movie: Movie, seq: int, toward: int = 0, run: str | None = None) -> Request:
    return Request(run or movie(0).stream.id, seq, toward, first_bins(movie(2)))


@pytest.mark.parametrize(
    ("seq", "toward", "expected"),
    [
        (3, 0, 3), (3, 1, 3), (3, -1, 3),
        (4, 1, 5), (4, -1, 3),
        (6, 0, 5), (7, 0, 8),
        (0, -1, 2), (99, 1, 8), (0, 0, 2), (99, 0, 8),
    ],
)  # fmt: skip
def test_the_frame_that_is_there_stands_in_for_one_that_is_not(
    archive: Archive, movie: Movie, seq: int, toward: int, expected: int
) -> None:
    answer = Client(archive).answer(wanted(movie, seq, toward))
    assert answer.scene is not None
    assert answer.scene.seq == expected
    assert answer.reach is not None
    assert (answer.reach.first, answer.reach.last) == (2, 8)


def test_a_frame_from_disk_shows_the_same_atoms_as_when_it_was_live(
    archive: Archive, movie: Movie
) -> None:
    read = Client(archive).answer(wanted(movie, 5)).scene
    live = scene(movie(5), first_bins(movie(2)))
    assert read is not None
    assert read.extent == live.extent
    assert read.summary.counts == live.summary.counts
    for name, column in live.atoms.items():
        np.testing.assert_array_equal(read.atoms[name], column)
    for name, counts in live.counts.items():
        np.testing.assert_array_equal(read.counts[name], counts)


def test_of_many_wishes_the_last_is_granted_and_nobody_waits_for_another(
    archive: Archive, movie: Movie
) -> None:
    """All in between are passed over while one is read."""
    one, other = Client(archive), Client(archive)
    for _ in range(50):
        for seq in SEQS:
            one.visitor.ask(wanted(movie, seq))
    last = one.answer(wanted(movie, 3))
    assert last.scene is not None
    assert last.scene.seq == 3
    assert other.answer(wanted(movie, 8)).scene is not None


def damage(folder: Path) -> None:
    table = sorted((folder / "atoms").rglob("*.parquet"))[1]
    table.write_bytes(table.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(damage, "is damaged", id="damaged"),
        pytest.param(shutil.rmtree, "gone", id="folder gone"),
        pytest.param(
            lambda folder: (folder / "session.sqlite").write_bytes(b"?" * 9000),
            "index cannot be used",
            id="no index",
        ),
    ],
)
def test_a_frame_that_cannot_be_read_says_why(
    archive: Archive,
    movie: Movie,
    folder: Path,
    spoil: Callable[[Path], object],
    why: str,
) -> None:
    client = Client(archive)
    assert client.answer(wanted(movie, 2)).scene is not None
    spoil(folder)
    answer = client.answer(wanted(movie, 3))
    assert answer.scene is None
    assert answer.problem.startswith("Frame 3 cannot be read: ")
    assert why in answer.problem


def test_after_a_frame_that_cannot_be_read_others_can(
    archive: Archive, movie: Movie, folder: Path
) -> None:
    damage(folder)
    client = Client(archive)
    assert client.answer(wanted(movie, 3)).scene is None
    assert client.answer(wanted(movie, 5)).scene is not None


def test_a_run_that_the_session_does_not_have_is_named_as_the_reason(
    archive: Archive, movie: Movie
) -> None:
    answer = Client(archive).answer(wanted(movie, 3, run="another"))
    assert "no analysed frame of this run" in answer.problem


def test_a_folder_that_becomes_a_session_later_is_read_then(
    movie: Movie, folder: Path, tmp_path: Path
) -> None:
    with Archive(tmp_path / "later") as archive:
        client = Client(archive)
        assert "does not exist" in client.answer(wanted(movie, 3)).problem
        folder.rename(tmp_path / "later")
        assert client.answer(wanted(movie, 3)).scene is not None


def test_frames_that_were_read_are_kept_within_their_budget(
    movie: Movie, folder: Path
) -> None:
    size = scene(movie(2), {}).nbytes
    with Archive(folder, scene_bytes=int(2.5 * size)) as archive:
        client = Client(archive)
        read = [client.answer(wanted(movie, seq)).scene for seq in SEQS]
        assert client.answer(wanted(movie, 8)).scene is read[3], "still there"
        assert client.answer(wanted(movie, 2)).scene is not read[0], "read again"


def test_frames_of_another_model_are_counted_in_bins_of_their_own(
    movie: Movie, tmp_path: Path
) -> None:
    atoms = replace(movie(1).atoms, latents={"z9": movie(1).atoms.latents["z1"]})
    model = replace(movie(1).model, latents=("z9",))
    other = replace(movie(1), model=model, atoms=atoms)
    frame = Frame(other.stream, 1, other.preview.image, other.pixel_size_nm)
    with FrameRecorder(tmp_path) as frames, AnalysisRecorder(tmp_path) as analyses:
        frames.commit_frame(frame, received_ns=0)
        analyses.commit_analysis(other)
    with Archive(tmp_path) as archive:
        found = Client(archive).answer(wanted(movie, 1)).scene
    assert found is not None
    assert set(found.counts) == {"angle_deg", "z9"}
