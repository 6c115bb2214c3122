"""Sessions that quotas let go, and those that stay whatever the quotas say."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from atomstream.ports import free_address
from streamer.frame import Frame, Stream
from streamer.session.creation import create_session
from streamer.session.pins import PIN_NAME
from streamer.session.pruning import GOING, set_going
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.roles import Role, is_taken
from streamer.session.spool import Spool
from streamer.session.verify import verify
from tests.atomstream.conftest import Outcome

type Run = Callable[..., Outcome]
type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]

DAY_NS = 86_400 * 10**9
STREAM = Stream("5f0c", "SuperScan", "HAADF")


def frame_of(seq: int) -> Frame:
    image = np.random.default_rng(seq).normal(size=(64, 64)).astype(np.float32)
    return Frame(STREAM, seq, image, pixel_size_nm=0.0156)


def recorded(folder: Path, days_ago: float, frames: int = 2) -> Path:
    """A session whose last frame came so long ago."""
    with FrameRecorder(folder) as recorder:
        for seq in range(frames):
            recorder.commit_frame(
                frame_of(seq), time.time_ns() - int(days_ago * DAY_NS)
            )
    return folder


def size_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".prune.lock"}


def contents(folder: Path) -> list[Path]:
    """All but what SQLite needs to read an index."""
    of_sqlite = ("session.sqlite-shm", "session.sqlite-wal")
    return sorted(path for path in folder.rglob("*") if path.name not in of_sqlite)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of three sessions, named by their age in days."""
    folder = tmp_path / "runs"
    for days in (50, 31, 2):
        recorded(folder / f"{days}d", days)
    return folder


@pytest.mark.parametrize(
    ("quotas", "options", "left"),
    [
        ("older_than = '30d'", (), {"2d"}),
        ("older_than = '30d'", ("--older-than", "40d"), {"31d", "2d"}),
        ("keep_bytes = '1kB'\nolder_than = '40d'", ("--keep-bytes", "1GB"),
         {"31d", "2d"}),
        ("keep_bytes = '1kB'", (), set()),
    ],
)  # fmt: skip
def test_quotas_may_stand_in_the_file_of_settings(
    run: Run, runs: Path, quotas: str, options: tuple[str, ...], left: set[str]
) -> None:
    file = runs.parent / "atomstream.toml"
    file.write_text(f"threads = 2\n[retention]\n{quotas}\n")
    outcome = run("sessions", "prune", runs, "--settings", file, *options)
    assert (outcome.code, outcome.err) == (0, "")
    assert names(runs) == left


def test_a_file_without_quotas_lets_nothing_go(run: Run, runs: Path) -> None:
    file = runs.parent / "atomstream.toml"
    file.write_text("threads = 2\n")
    outcome = run("sessions", "prune", runs, "--settings", file)
    assert outcome.code == 2
    assert "in [retention]" in outcome.err
    assert names(runs) == {"50d", "31d", "2d"}


def test_what_is_older_goes_and_nothing_else(run: Run, runs: Path) -> None:
    outcome = run("sessions", "prune", runs, "--older-than", "30d")
    assert outcome.code == 0
    assert names(runs) == {"2d"}
    assert verify(runs / "2d").whole
    lines = outcome.out.splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "removed: 50d", "removed: 31d", "2 sessions removed",
    ]  # fmt: skip
    assert "(50.0 days ago)" in lines[0]


def test_the_oldest_go_until_the_rest_is_small_enough(run: Run, runs: Path) -> None:
    keep = size_of(runs / "31d") + size_of(runs / "2d")
    outcome = run("sessions", "prune", runs, "--keep-bytes", str(keep))
    assert outcome.code == 0
    assert names(runs) == {"31d", "2d"}
    assert run("sessions", "prune", runs, "--keep-bytes", "0").code == 0
    assert names(runs) == set()


def test_a_dry_run_says_what_would_go_and_changes_nothing(run: Run, runs: Path) -> None:
    (runs / f"{GOING}old").mkdir()
    before = contents(runs)
    command = ("sessions", "prune", runs, "--older-than", "40d", "--keep-bytes")
    outcome = run(*command, str(size_of(runs / "2d")), "--dry-run")
    assert outcome.code == 0
    assert contents(runs) == before
    assert [line.split(",")[0] for line in outcome.out.splitlines()] == [
        f"{GOING}old: its removal would be ended",
        "would go: 50d", "would go: 31d", "2 sessions would go",
    ]  # fmt: skip


def test_a_pinned_session_stays_until_it_is_unpinned(run: Run, runs: Path) -> None:
    assert run("sessions", "pin", runs / "50d").code == 0
    assert (
        "pinned: `sessions prune` leaves it"
        in run("sessions", "show", runs / "50d").out
    )
    assert "pinned" not in run("sessions", "show", runs / "2d").out
    outcome = run("sessions", "prune", runs, "--keep-bytes", "0")
    assert outcome.code == 1
    assert names(runs) == {"50d"}
    assert "stays: 50d" in outcome.out
    assert outcome.out.endswith("that is more than 0 GB: no other may go\n")
    assert verify(runs / "50d").whole
    assert run("sessions", "unpin", runs / "50d").out.endswith("is pinned no more\n")
    assert run("sessions", "unpin", runs / "50d").out.endswith("was not pinned\n")
    assert run("sessions", "prune", runs, "--older-than", "30d").code == 0
    assert names(runs) == set()


def test_a_pin_that_comes_after_the_choice_still_counts(runs: Path) -> None:
    (runs / "50d" / PIN_NAME).touch()
    with pytest.raises(Exception, match="50d stays: it is pinned"):
        set_going(runs / "50d")
    assert (runs / "50d").is_dir()


@pytest.mark.timeout(300)
def test_a_session_that_a_service_is_at_work_on_stays(
    run: Run, runs: Path, spawn: Spawn, wait_for: Wait
) -> None:
    session = runs / "50d"
    service = spawn(
        "serve", "--connect", free_address(), "--record", session,
        "--publish", free_address(), "--threads", "1",
    )  # fmt: skip
    wait_for(lambda: is_taken(session, Role.RECORDER), 120)
    outcome = run("sessions", "prune", runs, "--older-than", "1d")
    assert outcome.code == 0
    assert names(runs) == {"50d"}
    assert "something is at work on it" in outcome.out
    service.terminate()
    service.communicate(timeout=60)
    assert verify(session).whole
    assert run("sessions", "prune", runs, "--older-than", "1d").code == 0
    assert names(runs) == set()


@pytest.mark.parametrize("role", ["recorder", "analyser", "service"])
def test_one_role_is_enough_to_keep_a_session(run: Run, runs: Path, role: str) -> None:
    program = (
        "import sys, pathlib; from streamer.session.writing import index_for;"
        "from streamer.session.roles import Role;\n"
        "with index_for(pathlib.Path(sys.argv[1]), Role(sys.argv[2])):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(runs / "50d"), role]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        tried = ("sessions", "prune", runs, "--older-than", "1d", "--dry-run")
        assert "days ago): something is at work on it" in run(*tried).out
        assert run(*tried[:-1]).code == 0
        assert names(runs) == {"50d"}
        with pytest.raises(Exception, match="something is at work on it"):
            set_going(runs / "50d")
        process.kill()
    run("sessions", "prune", runs, "--older-than", "1d")
    assert names(runs) == set()


def test_links_and_folders_that_are_no_sessions_are_left_alone(
    run: Run, runs: Path, tmp_path: Path
) -> None:
    elsewhere = recorded(tmp_path / "elsewhere", 99)
    (runs / "link").symlink_to(elsewhere, target_is_directory=True)
    (runs / f"{GOING}link").symlink_to(elsewhere, target_is_directory=True)
    (runs / "pictures").mkdir()
    (runs / "pictures" / "session.sqlite").mkdir()
    (runs / "notes.txt").write_text("mine")
    (runs / "broken").mkdir()
    (runs / "broken" / "session.sqlite").write_text("no index")
    (runs / "linked").mkdir()
    (runs / "linked" / "session.sqlite").symlink_to(elsewhere / "session.sqlite")
    outcome = run("sessions", "prune", runs, "--keep-bytes", "0")
    assert outcome.code == 0
    assert names(runs) == {
        "link", f"{GOING}link", "pictures", "notes.txt", "broken", "linked",
    }  # fmt: skip
    assert "left alone: " in outcome.err
    assert verify(elsewhere).whole


def test_what_a_link_in_a_session_names_is_not_removed(
    run: Run, runs: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years")
    (runs / "50d" / "frames" / "000009.tif").symlink_to(mine / "thesis.txt")
    models = runs / "50d" / "models"
    models.mkdir()
    (models / "m").symlink_to(mine, target_is_directory=True)
    assert run("sessions", "prune", runs, "--older-than", "40d").code == 0
    assert not (runs / "50d").exists()
    assert (mine / "thesis.txt").read_text() == "years"


@pytest.mark.parametrize("place", ["fit.ipynb", "frames/000001.csv"])
def test_a_session_into_which_somebody_has_put_files_stays(
    run: Run, runs: Path, place: str
) -> None:
    (runs / "50d" / place).write_text("mine")
    outcome = run("sessions", "prune", runs, "--older-than", "30d")
    assert outcome.code == 0
    assert names(runs) == {"50d", "2d"}
    assert f"it holds what no session has (“{place}”)" in outcome.out


def test_a_session_whose_frames_wait_in_memory_stays(run: Run, runs: Path) -> None:
    spool = Spool.of(runs / "50d")
    assert spool.put(frame_of(2), time.time_ns())
    try:
        outcome = run("sessions", "prune", runs, "--older-than", "30d")
    finally:
        shutil.rmtree(spool.folder)
    assert names(runs) == {"50d", "2d"}
    assert "frames of it wait in memory" in outcome.out


def test_a_session_without_frames_is_as_old_as_its_index(run: Run, runs: Path) -> None:
    create_session(runs / "empty")
    old_s = time.time() - 60 * 86_400
    os.utime(runs / "empty" / "session.sqlite", (old_s, old_s))
    create_session(runs / "new")
    run("sessions", "prune", runs, "--older-than", "1d")
    assert names(runs) == {"new"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "give --older-than AGE, --keep-bytes SIZE or both"),
        (("--older-than", "30"), "'30' is no age; expected a number and min, h, d"),
        (("--older-than", "-1d"), "'-1d' is no age"),
        (("--keep-bytes", "5x"), "'5x' is no size; expected a number and kB, MB"),
        (("--keep-bytes", "-5GB"), "'-5GB' is no size"),
    ],
)
def test_a_quota_that_makes_no_sense_is_refused(
    run: Run, runs: Path, options: tuple[str, ...], words: str
) -> None:
    outcome = run("sessions", "prune", runs, *options)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert names(runs) == {"50d", "31d", "2d"}


def test_a_session_is_not_taken_for_a_folder_of_sessions(run: Run, runs: Path) -> None:
    outcome = run("sessions", "prune", runs / "50d", "--keep-bytes", "0")
    assert outcome.code == 2
    assert "is a session; give the folder that holds it" in outcome.err
    assert run("sessions", "prune", runs / "none", "--keep-bytes", "0").code == 2


FILES = 2000
"""In a session, so that its removal takes a while."""


@pytest.mark.timeout(600)
def test_whoever_is_killed_at_it_leaves_sessions_whole_or_clearly_going(
    tmp_path: Path, run: Run
) -> None:
    runs, chance = tmp_path / "runs", random.Random(5)
    killed_at_work = 0
    for _ in range(4):
        for name in ("a", "b"):
            shutil.rmtree(runs / name, ignore_errors=True)
            fill(recorded(runs / name, 50))
        killed_at_work += killed(runs, chance.randrange(FILES // 4, FILES))
        for name in names(runs):
            if not name.startswith(GOING):
                with SessionReader(runs / name) as session:
                    assert len(session.frames(STREAM.id)) == 2
                assert len(list((runs / name / "frames").iterdir())) == FILES + 2
        going = {name for name in names(runs) if name.startswith(GOING)}
        listed = run("sessions", "list", runs).out
        assert not any(name in listed for name in going)
        assert run("sessions", "prune", runs, "--older-than", "1d").code == 0
        assert names(runs) == set()
    assert killed_at_work >= 2


def fill(session: Path) -> None:
    for number in range(FILES):
        (session / "frames" / f"{number + 100:06d}.tif").touch()


def killed(runs: Path, left: int) -> bool:
    """Whether a prune was killed at its work, when so many files were left."""
    command = [sys.executable, "-m", "atomstream", "sessions", "prune", str(runs)]
    command += ["--older-than", "1d"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not any(
            files_in(going / "frames") <= left for going in runs.glob(f"{GOING}*")
        ):
            pass
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL and bool(list(runs.glob(f"{GOING}*")))


def files_in(folder: Path) -> int:
    try:
        return sum(1 for _ in folder.iterdir())
    except FileNotFoundError:
        return 0
