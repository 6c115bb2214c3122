"""`demo --source nion`: the whole live path, on Nion Swift's own code."""

import subprocess
import sys
from pathlib import Path

import pytest

from atomstream.nion import headless
from atomstream.nion.headless import check_installed
from streamer.errors import SettingsError
from streamer.session.reader import SessionReader


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_is_scanned_by_nion_and_analysed_to_its_end(tmp_path: Path) -> None:
    pytest.importorskip("nion.usim_device", reason="needs the extra [nion]")
    command = [sys.executable, "-m", "atomstream", "demo", "--source", "nion"]
    options = ["--no-dashboard", "--frames", "2", "--speed", "30", "--no-refine"]
    session = tmp_path / "session"
    done = subprocess.run(
        [*command, *options, "--record", session], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    with SessionReader(session) as reader:
        (record,) = reader.streams()
        frames = [reader.frame(record.stream.id, seq) for seq in range(2)]
    assert (record.frames, record.analyses, record.total) == (2, 2, 2)
    assert (record.stream.source, record.stream.channel) == ("uSim Scan", "HAADF")
    assert {frame.shape for frame in frames} == {(1024, 1024)}
    assert {frame.pixel_size_nm for frame in frames} == {16 / 1024}


def test_without_the_extra_the_demo_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(headless, "PACKAGES", ("no_such_package.part",))
    with pytest.raises(SettingsError, match="uv sync --extra nion"):
        check_installed()
