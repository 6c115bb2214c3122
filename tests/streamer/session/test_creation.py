import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from streamer.errors import SessionError
from streamer.frame import Frame
from streamer.session.creation import create_session
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder


def refusal(line: str) -> "pytest.RaisesExc[SessionError]":
    return pytest.raises(SessionError, match=f"^{re.escape(line)}$")


def test_a_new_session_is_empty_and_opens(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "session"
    create_session(folder)
    names = {path.name for path in folder.iterdir()}
    assert {"atoms", "frames", "session.sqlite"} <= names
    with SessionReader(folder) as session:
        assert session.streams() == []
        assert session.totals().frames == 0


def test_creating_it_again_changes_nothing(
    tmp_path: Path, make_frame: Callable[..., Frame]
) -> None:
    with FrameRecorder(tmp_path) as recorder:
        recorder.commit_frame(make_frame(), received_ns=0)
    create_session(tmp_path)
    with SessionReader(tmp_path) as session:
        assert session.totals().frames == 1


def test_six_processes_may_create_it_at_once(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys; sys.stdin.readline();"
        "from streamer.session.creation import create_session;"
        "create_session(pathlib.Path(sys.argv[1]))"
    )
    folder = tmp_path / "session"
    processes = [
        subprocess.Popen([sys.executable, "-c", program, folder], stdin=subprocess.PIPE)
        for _ in range(6)
    ]
    for process in processes:
        process.stdin.close()
    assert [process.wait(60) for process in processes] == [0] * 6
    with SessionReader(folder) as session:
        assert session.streams() == []


def test_one_that_was_killed_while_being_created_is_completed(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "session.sqlite").touch()
    create_session(tmp_path)
    with SessionReader(tmp_path) as session:
        assert session.streams() == []


def test_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "movie.tif"
    path.touch()
    for use in (create_session, FrameRecorder, SessionReader):
        with refusal(f"{path} is a file; a session is a folder"):
            use(path)


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(SessionError, match=r"file.*Not a directory$"):
        create_session(path / "session")


def test_a_folder_with_other_things_is_not_made_a_session(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with refusal(
        f"{tmp_path} is a folder with other things in it (“thesis.tex”); "
        "a session needs a folder of its own"
    ):
        FrameRecorder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_that_is_no_session_is_not_read(tmp_path: Path) -> None:
    with refusal(f"{tmp_path} is a folder but not a session: it has no session.sqlite"):
        SessionReader(tmp_path)
    with refusal(f"{tmp_path / 'nothing'} does not exist"):
        SessionReader(tmp_path / "nothing")


@pytest.mark.parametrize("use", [create_session, SessionReader])
def test_somebody_elses_index_is_left_alone(
    tmp_path: Path, use: Callable[[Path], object]
) -> None:
    with closing(sqlite3.connect(tmp_path / "session.sqlite")) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    with refusal(
        f"{tmp_path} is a folder but not a session: "
        "its session.sqlite was written by something else"
    ):
        use(tmp_path)


@pytest.mark.parametrize("use", [create_session, SessionReader])
def test_a_session_of_a_newer_version_is_refused(
    tmp_path: Path, use: Callable[[Path], object]
) -> None:
    create_session(tmp_path)
    with closing(sqlite3.connect(tmp_path / "session.sqlite")) as index:
        index.execute("PRAGMA user_version = 7")
    with refusal(
        f"{tmp_path} is a session of version 7, this program knows up to 3: "
        "use a newer atomstream"
    ):
        use(tmp_path)


@pytest.mark.parametrize("use", [create_session, SessionReader, FrameRecorder])
def test_an_index_that_is_no_database_is_refused(
    tmp_path: Path, use: Callable[[Path], object]
) -> None:
    (tmp_path / "session.sqlite").write_bytes(b"these are not the bytes" * 100)
    with refusal(
        f"{tmp_path}: the session's index cannot be used: file is not a database"
    ):
        use(tmp_path)
