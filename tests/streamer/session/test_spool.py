"""Frames in memory: which stay, and who may look."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.errors import SessionError, StorageError
from streamer.frame import Frame, Stream
from streamer.session.records import FrameKey
from streamer.session.spool import Shortage, Spool

ODD = Stream("a-1.b_2-", "SuperScan", "HAADF")


def test_what_is_put_comes_back_whole_and_oldest_first(
    tmp_path: Path,
    make_frame: Callable[..., Frame],
    same_frames: Callable[[Frame, Frame], None],
) -> None:
    spool = Spool(tmp_path / "spool")
    frames = [make_frame(3), make_frame(7, ODD), make_frame(4)]
    for received_ns, frame in enumerate(frames):
        assert spool.put(frame, received_ns)
    waiting = Spool(tmp_path / "spool").frames()
    assert [each.key for each in waiting] == [
        FrameKey("5f0c", 3), FrameKey(ODD.id, 7), FrameKey("5f0c", 4),
    ]  # fmt: skip
    assert [each.received_ns for each in waiting] == [0, 1, 2]
    for each, frame in zip(waiting, frames, strict=True):
        same_frames(spool.read(each), frame)
        spool.drop(each)
    spool.close()
    assert not (tmp_path / "spool").exists()


def test_of_too_many_the_oldest_give_way_and_are_known(
    tmp_path: Path, make_frame: Callable[..., Frame]
) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=8_000)
    for seq in range(10):
        assert spool.put(make_frame(seq), seq)
    kept = [each.key.seq for each in spool.frames()]
    assert kept == list(range(kept[0], 10))
    assert spool.evicted == {"5f0c": (0, kept[0] - 1)}
    assert sum(each.path.stat().st_size for each in spool.frames()) <= 8_000
    tiny = Spool(tmp_path / "tiny", max_bytes=100)
    assert not tiny.put(make_frame(0), 0)
    assert tiny.evicted == {"5f0c": (0, 0)}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_nobody_else_can_read_it_or_have_put_it_there(
    tmp_path: Path, make_frame: Callable[..., Frame]
) -> None:
    spool = Spool(tmp_path / "spool")
    spool.put(make_frame(0), 0)
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    trap = Spool(tmp_path / "trap")
    trap.folder.symlink_to(elsewhere)
    assert not trap.put(make_frame(0), 0)
    assert list(elsewhere.iterdir()) == []


FOREIGN = {
    "others may read it": lambda folder: folder.chmod(0o755),
    "others may write to it": lambda folder: folder.chmod(0o777),
    "somebody else has it": lambda folder: os.chown(folder, 12345, -1),
    "a link leads there": lambda folder: folder.symlink_to(
        folder.rename(folder.with_name("there"))
    ),
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
@pytest.mark.parametrize("how", FOREIGN)
def test_a_folder_that_others_have_counts_as_empty_and_is_left_alone(
    how: str, tmp_path: Path, make_frame: Callable[..., Frame]
) -> None:
    spool, key = Spool(tmp_path / "spool"), FrameKey("5f0c", 0)
    assert spool.put(make_frame(0), 0)
    spool.say(Shortage("full", 5))
    spool.begin(key)
    (waiting,) = spool.frames()
    try:
        FOREIGN[how](spool.folder)
    except PermissionError:
        pytest.skip("only root can give a folder away")
    there = sorted(path.name for path in spool.folder.iterdir())
    assert spool.frames() == []
    assert spool.shortage() is None
    assert spool.tries(key) == 0
    with pytest.raises(StorageError):
        spool.read(waiting)
    assert not spool.put(make_frame(1), 1)
    spool.begin(key)
    spool.finish(key)
    spool.drop(waiting)
    spool.say(None)
    spool.say(Shortage("full", 6))
    spool.close()
    assert sorted(path.name for path in spool.folder.iterdir()) == there


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
@pytest.mark.timeout(20)
def test_pipes_and_what_cannot_be_removed_stop_nobody(
    tmp_path: Path, make_frame: Callable[..., Frame]
) -> None:
    spool, key = Spool(tmp_path / "spool"), FrameKey("5f0c", 0)
    assert spool.put(make_frame(0), 0)
    (waiting,) = spool.frames()
    waiting.path.unlink()
    for name in ("state.json", waiting.path.name):
        os.mkfifo(spool.folder / name)
    assert spool.shortage() is None
    with pytest.raises(SessionError):
        spool.read(waiting)
    waiting.path.unlink()
    for name in ("5f0c-0.tries", waiting.path.name):
        (spool.folder / name).mkdir()
    assert spool.tries(key) == 0
    spool.finish(key)
    spool.drop(waiting)


def test_two_sessions_have_two_and_two_processes_one(tmp_path: Path) -> None:
    one, other = Spool.of(tmp_path / "a"), Spool.of(tmp_path / "b")
    assert one.folder != other.folder
    assert one == Spool.of(tmp_path / "x" / ".." / "a")


def test_a_shortage_is_told_from_process_to_process_until_it_is_over(
    tmp_path: Path,
) -> None:
    ours, theirs = Spool(tmp_path / "spool"), Spool(tmp_path / "spool")
    assert theirs.shortage() is None
    ours.say(Shortage("full", 5))
    assert theirs.shortage() == Shortage("full", 5)
    ours.say(None)
    assert theirs.shortage() is None


def test_tries_are_counted_where_the_index_cannot(tmp_path: Path) -> None:
    spool, key = Spool(tmp_path / "spool"), FrameKey("5f0c", 3)
    assert spool.tries(key) == 0
    spool.begin(key)
    Spool(tmp_path / "spool").begin(key)
    assert spool.tries(key) == 2
    spool.finish(key)
    assert spool.tries(key) == 0
