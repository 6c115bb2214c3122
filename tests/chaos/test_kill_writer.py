"""The writer killed at any byte of any file that it writes, SQLite's own too."""

import importlib.util
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.verify import verify

type Report = Callable[..., None]
type Live = Callable[[Path, str, int], tuple[list[str], str]]
PROGRAM = Path(__file__).with_name("writing.py")
FRAME_BYTES = 11_000
"""A little more than the file of a frame has."""
LOG_BYTES = 40_000
"""A little more than SQLite's log grows by in a life."""
INDEX_BYTES = 80_000
"""A little more than the files of a new index have."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no RLIMIT_FSIZE")


@pytest.fixture(scope="module")
def source() -> ModuleType:
    """What the killed process commits."""
    spec = importlib.util.spec_from_file_location("writing", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def live() -> Iterator[Live]:
    """Let a writer live until it dies: what it said it had committed, and its end."""
    pipe = subprocess.PIPE
    command = [sys.executable, str(PROGRAM)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:

        def life(session: Path, start: str, nbytes: int) -> tuple[list[str], str]:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{session} {start} {nbytes}\n")
            process.stdin.flush()
            said = []
            while (line := process.stdout.readline().strip()).startswith("frame"):
                said.append(line)
            return said, line

        yield life
        process.kill()


@pytest.mark.timeout(1800)
def test_whatever_byte_is_the_last_every_committed_frame_is_whole(
    tmp_path: Path, live: Live, source: ModuleType, long: bool, report: Report
) -> None:
    lives = 500 if long else 25
    chance = random.Random(11)
    session, said = tmp_path / "session", []
    FrameRecorder(session).close()
    killed = {"frame": 0, "log": 0, "new index": 0}
    for _ in range(lives):
        where = chance.choice(list(killed))
        if where == "new index":
            fresh = tmp_path / f"fresh-{killed[where]}-{_}"
            lines, end = live(fresh, "before", chance.randrange(1, INDEX_BYTES))
            live(fresh, "after", 2**40)
            check(fresh, lines, source)
        else:
            log = session / "session.sqlite-wal"
            grown = log.stat().st_size if log.exists() else 0
            limit = (
                chance.randrange(1, FRAME_BYTES)
                if where == "frame"
                else max(grown, FRAME_BYTES) + chance.randrange(LOG_BYTES)
            )
            lines, end = live(session, "after", limit)
            said += lines
            check(session, said, source)
        killed[where] += end == f"dead {signal.SIGXFSZ}"
        assert end in ("done", f"dead {signal.SIGXFSZ}")
    FrameRecorder(session).close()
    assert verify(session).whole
    check(session, said, source, newest=len(said) + 1)
    report(lives=lives, killed=killed, frames=len(said))
    assert min(killed.values()) > lives / 10
    assert len(said) > lives / 3


def check(session: Path, said: list[str], source: ModuleType, newest: int = 12) -> None:
    """What was said to be committed is there, and the newest are whole."""
    with SessionReader(session) as reader:
        seqs = [record.seq for record in reader.frames(source.STREAM.id)]
        for seq in seqs[-newest:]:
            image = reader.frame(source.STREAM.id, seq).image
            np.testing.assert_array_equal(image, source.frame_of(seq).image)
    assert set(said) <= {f"frame {seq}" for seq in seqs}
    assert seqs == list(range(len(seqs)))
