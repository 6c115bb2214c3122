"""Sessions that are not as one would wish: the page says so, and shows the rest."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from inference.analyse import History
from streamer.frame import Stream
from streamer.session.creation import create_session
from tests.atomstream.report.sessions import (
    DEFAULT,
    EPOCH_NS,
    PAPER,
    STREAM,
    Page,
    analyser,
    blank,
    exposures,
    made,
    record,
)

pytestmark = pytest.mark.timeout(600)
type Reported = Callable[..., Page]
SHORT = (4, 150, 3.0)


def test_of_one_frame(reported: Reported, tmp_path: Path) -> None:
    folder = record(tmp_path / "one", exposures(*SHORT)[:1], [DEFAULT])
    page = reported(folder)
    assert {"probabilities-000000", "steps", "angle", "latents"} <= page.figures
    assert page.table("trends")["frame"].to_pylist() == [0]


def test_with_gaps(reported: Reported, tmp_path: Path) -> None:
    frames = exposures(*SHORT)
    with made(tmp_path / "gaps") as making:
        making.add(frames[0])
        making.frames.commit_gap(STREAM, 1, 2, "the source was restarted", EPOCH_NS)
        making.add(frames[3])
        making.end(4)
    page = reported(making.folder)
    assert "2 frames of the stream could not be had, in 1 gap" in page.text
    gaps = page.table("gaps").to_pylist()
    assert gaps == [{"first": 1, "last": 2, "reason": "the source was restarted"}]
    assert "trends" in page.figures


@pytest.mark.parametrize("seqs", [(0, 3 * 10**9), (2**62 - 2, 2**62 - 1)])
def test_with_frames_of_any_number(
    reported: Reported, tmp_path: Path, seqs: tuple[int, int]
) -> None:
    first, second, *_ = exposures(*SHORT)
    frames = [replace(first, seq=seqs[0]), replace(second, seq=seqs[1])]
    page = reported(record(tmp_path / "far", frames, [DEFAULT] * 2))
    assert page.table("trends")["frame"].to_pylist() == list(seqs)


def test_without_atoms(reported: Reported, tmp_path: Path) -> None:
    frames = [blank(seq) for seq in range(2)]
    page = reported(record(tmp_path / "blank", frames, [DEFAULT] * 2))
    assert "No frame has atoms." in page.text
    assert "There are no atoms in any frame" in page.text
    assert {"probabilities-000000", "trends"} <= page.figures
    assert not {"angle", "latents", "real-space", "steps"} & page.figures


def test_with_atoms_in_some_frames_only(reported: Reported, tmp_path: Path) -> None:
    seen = exposures(*SHORT)
    frames = [seen[0], replace(blank(1), start_ns=seen[1].start_ns), seen[2]]
    page = reported(record(tmp_path / "some", frames, [DEFAULT] * 3))
    assert "1 no-atoms" in page.text
    assert page.table("trends")["c"].to_pylist()[1] == 0
    ridge = page.table("angle-ridge")["frame"].to_pylist()
    assert set(ridge) == {0, 2}


def test_with_two_frame_sizes(reported: Reported, tmp_path: Path) -> None:
    small = exposures(*SHORT)[:2]
    large = [replace(f, seq=f.seq + 2) for f in exposures(2, 220, 4.4)]
    page = reported(record(tmp_path / "sizes", [*small, *large], [DEFAULT] * 4))
    assert "Frames have 2 sizes (2 of 150 x 150 px, 2 of 220 x 220 px)" in page.text
    assert {"steps", "real-space"} <= page.figures


def test_with_a_model_swap_in_the_middle(reported: Reported, tmp_path: Path) -> None:
    models = [DEFAULT, DEFAULT, PAPER, PAPER]
    page = reported(record(tmp_path / "swap", exposures(*SHORT), models))
    assert "More than one model was used" in page.text
    for said in ("z1 by graphene-si ", "dx by graphene-si-paper"):
        assert said in page.text
    assert set(page.table("models")["model"].to_pylist()) == {DEFAULT, PAPER}
    first = page.table("z1-density")["frame"].to_pylist()
    assert set(first) == {0, 1}


def test_not_analysed(reported: Reported, tmp_path: Path) -> None:
    with made(tmp_path / "raw") as making:
        for frame in exposures(*SHORT):
            making.add(frame, model=None)
        making.end(4)
    page = reported(making.folder)
    assert "No frame of this stream is analysed" in page.text
    assert "4 frames not analysed yet" in page.text
    assert page.figures == set()


def test_still_being_recorded(reported: Reported, tmp_path: Path) -> None:
    frames = exposures(*SHORT)
    with made(tmp_path / "live") as making:
        making.add(frames[0])
        making.add(frames[1])
        making.add(frames[2], model=None)
        page = reported(making.folder)
        making.add(frames[3])
    assert "still open" in page.text
    assert "1 frame not analysed yet" in page.text
    assert page.table("trends")["frame"].to_pylist() == [0, 1]


def test_without_streams(reported: Reported, tmp_path: Path) -> None:
    create_session(tmp_path / "new")
    page = reported(tmp_path / "new")
    assert "no streams yet" in page.text


def test_of_several_streams(reported: Reported, tmp_path: Path) -> None:
    other = Stream("77aa0000", "simulator", "MAADF")
    with made(tmp_path / "two") as making:
        making.add(replace(exposures(*SHORT)[0], stream=other))
        for frame in exposures(*SHORT)[:2]:
            making.add(frame)
    page = reported(making.folder)
    assert page.table("trends")["frame"].to_pylist() == [0, 1]
    assert "1 other stream, which --stream N reports: 0 (simulator / MAADF" in page.text
    assert reported(making.folder, "--stream", "77aa").table("trends").num_rows == 1


def test_of_a_model_that_is_not_here(
    reported: Reported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: Path
) -> None:
    monkeypatch.setattr("inference.catalogue.SHIPPED", tmp_path)
    page = reported(session)
    assert "--model DIR names their folder" in page.text
    assert {"angle", "real-space", "trends"} <= page.figures


def test_without_times_and_sizes(reported: Reported, tmp_path: Path) -> None:
    unknown = {"start_ns": None, "end_ns": None, "dose_e_nm2": None}
    frames = [
        replace(frame, **unknown, pixel_size_nm=None) for frame in exposures(*SHORT)[:2]
    ]
    page = reported(record(tmp_path / "unknown", frames, [DEFAULT] * 2))
    assert "do not say when they were scanned" in page.text


def test_with_latents_of_any_name(reported: Reported, tmp_path: Path) -> None:
    names = ("crystallinity", "../../../up", "$x^{")
    with made(tmp_path / "named") as making:
        for frame in exposures(*SHORT)[:2]:
            making.add(frame, model=None)
            found = analyser(DEFAULT).analyse(frame, History())
            atoms = replace(
                found.atoms,
                latents=dict(zip(names, found.atoms.latents.values(), strict=True)),
                sigmas={},
            )
            model = replace(found.model, latents=names)
            making.analyses.commit_analysis(replace(found, atoms=atoms, model=model))
    before = {path.name for path in tmp_path.iterdir()}
    page = reported(making.folder)
    assert {path.name for path in tmp_path.iterdir()} == before | {"report"}
    assert "../../../up" in page.text
    assert page.table("_________up-ridge").num_rows > 0


def test_what_a_session_says_is_never_markup(
    reported: Reported, tmp_path: Path
) -> None:
    name = "<script>alert(1)</script>"
    frame = replace(exposures(*SHORT)[0], stream=Stream("5f0c", name, "$x^{"))
    page = reported(record(tmp_path / "marked", [frame], [DEFAULT]))
    assert "<script" not in page.html
    assert name in page.text
