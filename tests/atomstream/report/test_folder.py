"""The folder of a report: there whole, or as it was before."""

import json
from pathlib import Path

import pytest

from atomstream.report.folder import MADE_BY, MANIFEST, replacing_folder
from streamer.errors import SettingsError
from streamer.session.creation import create_session


def write(folder: Path, text: str) -> None:
    """Something that is a report to those who look."""
    (folder / "tables").mkdir()
    (folder / "tables" / "numbers.csv").write_text(text)
    said = {"made_by": MADE_BY, "files": {"tables/numbers.csv": "its hash"}}
    (folder / MANIFEST).write_text(json.dumps(said))


def make(out: Path, text: str) -> None:
    with replacing_folder(out) as folder:
        write(folder, text)


def text_in(out: Path) -> str:
    return (out / "tables" / "numbers.csv").read_text()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "report"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_report_takes_the_place_of_one_before(out: Path, tmp_path: Path) -> None:
    out.mkdir()
    for text in ("first", "second"):
        make(out, text)
        assert text_in(out) == text
        assert names(tmp_path) == ["report"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
@pytest.mark.parametrize("before", [True, False])
def test_one_that_is_stopped_leaves_what_was_there(
    out: Path, tmp_path: Path, error: type[BaseException], before: bool
) -> None:
    if before:
        make(out, "first")

    def stop_half_way() -> None:
        with replacing_folder(out) as folder:
            write(folder, "half")
            raise error

    with pytest.raises(error):
        stop_half_way()
    assert names(tmp_path) == (["report"] if before else [])
    if before:
        assert text_in(out) == "first"


@pytest.mark.parametrize("mine", ["mine.csv", "tables/mine.csv", "link"])
def test_what_no_report_has_made_is_never_removed(out: Path, mine: str) -> None:
    make(out, "first")
    if mine == "link":
        (out / mine).symlink_to(out.parent)
    else:
        (out / mine).write_text("mine")
    with pytest.raises(SettingsError, match=f"holds {mine}, which no report has made"):
        make(out, "second")
    assert text_in(out) == "first"
    assert (out / mine).exists()


@pytest.mark.parametrize(
    "said",
    ["", "[]", "{", '{"made_by": "me", "files": {}}', '{"made_by": 1, "files": []}'],
)
def test_a_folder_that_only_looks_like_a_report_is_none(out: Path, said: str) -> None:
    out.mkdir()
    (out / MANIFEST).write_text(said)
    with pytest.raises(SettingsError, match=f"holds {MANIFEST}"):
        make(out, "first")
    assert (out / MANIFEST).read_text() == said


@pytest.mark.parametrize("place", ["file", "link", "nowhere/report"])
def test_a_place_that_is_no_place_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "full")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SettingsError):
        make(tmp_path / place, "first")
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_written_into_a_session(tmp_path: Path) -> None:
    session = tmp_path / "session"
    create_session(session)
    before = sorted(session.rglob("*"))
    for place in (session, session / "report", session / "frames" / "report"):
        with pytest.raises(SettingsError):
            make(place, "first")
    assert sorted(session.rglob("*")) == before
