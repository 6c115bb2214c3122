"""SIGKILL at random moments, with everything that was promised still there."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from streamer.session.reader import SessionReader
from streamer.session.verify import verify

KILLS = 8
PROGRAM = Path(__file__).with_name("committing.py")


@pytest.fixture(scope="module")
def source() -> ModuleType:
    """What the killed process commits."""
    spec = importlib.util.spec_from_file_location("committing", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_until_killed(folder: Path, moment: random.Random) -> list[str]:
    """What a process said it had committed before it was killed."""
    command = [sys.executable, str(PROGRAM), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = [process.stdout.readline() for _ in range(moment.randrange(1, 12))]
        try:
            process.wait(moment.uniform(0, 0.05))
        except subprocess.TimeoutExpired:
            process.kill()
        return (said + process.stdout.readlines())[:]


def test_what_was_said_to_be_committed_is_whole_after_every_kill(
    tmp_path: Path, source: ModuleType
) -> None:
    moment = random.Random(5)
    said: list[str] = []
    for _ in range(KILLS):
        said += run_until_killed(tmp_path, moment)
        with SessionReader(tmp_path) as session:
            frames = [record.seq for record in session.frames(source.STREAM.id)]
            analyses = session.analyses(source.STREAM.id)
            for seq in frames:
                frame = session.frame(source.STREAM.id, seq)
                np.testing.assert_array_equal(frame.image, source.frame_of(seq).image)
                assert frame.metadata == {"seq": seq}
            for record in analyses:
                atoms = session.atoms(source.STREAM.id, record.frame.seq)
                assert (atoms.edge == bool(record.frame.seq % 2)).all()
        assert frames == list(range(len(frames)))
        committed = {f"frame {seq}\n" for seq in frames}
        committed |= {f"analysis {record.frame.seq}\n" for record in analyses}
        # The last line may have been cut in two by the kill.
        assert {line for line in said if line.endswith("\n")} <= committed
    assert len(frames) > KILLS
    assert len([line for line in said if line.startswith("frame")]) <= len(frames)


def test_the_next_process_leaves_a_whole_session(
    tmp_path: Path, source: ModuleType
) -> None:
    run_until_killed(tmp_path, random.Random(1))
    (tmp_path / "frames" / ".000900.tif.tmp").write_bytes(b"half a frame")
    (tmp_path / "frames" / "000901.tif").write_bytes(b"a frame without its row")
    (tmp_path / "atoms" / "000900.parquet").write_bytes(b"atoms without their row")
    source.FrameRecorder(tmp_path).close()
    source.AnalysisRecorder(tmp_path).close()
    assert verify(tmp_path).whole
