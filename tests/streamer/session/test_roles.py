"""One service of each role, in processes of their own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamer.errors import SessionError
from streamer.session.analyst import AnalysisRecorder
from streamer.session.recorder import FrameRecorder

RECORDS = "streamer.session.recorder", "FrameRecorder"
ANALYSES = "streamer.session.analyst", "AnalysisRecorder"


@contextmanager
def service(folder: Path, module: str, name: str) -> Iterator["subprocess.Popen[str]"]:
    program = (
        f"import pathlib, sys; from {module} import {name};"
        f"service = {name}(pathlib.Path(sys.argv[1]));"
        "print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("running", "second", "role"),
    [(RECORDS, FrameRecorder, "recorder"), (ANALYSES, AnalysisRecorder, "analyser")],
    ids=["recorder", "analyser"],
)
def test_a_second_service_of_a_role_is_refused(
    tmp_path: Path,
    running: tuple[str, str],
    second: Callable[[Path], object],
    role: str,
) -> None:
    with service(tmp_path, *running) as process:
        line = (
            f"{tmp_path} is in use: it has a {role} already (process {process.pid}); "
            "stop that one or take another folder"
        )
        with pytest.raises(SessionError, match=f"^{re.escape(line)}$"):
            second(tmp_path)


def test_recorder_and_analysis_work_side_by_side(tmp_path: Path) -> None:
    with service(tmp_path, *RECORDS), AnalysisRecorder(tmp_path):
        pass


def test_within_one_process_too_a_role_is_taken_once(tmp_path: Path) -> None:
    with (
        FrameRecorder(tmp_path),
        pytest.raises(SessionError, match=f"process {os.getpid()}"),
    ):
        FrameRecorder(tmp_path)


def test_a_refused_service_disturbs_nothing(tmp_path: Path) -> None:
    with FrameRecorder(tmp_path):
        being_written = tmp_path / "frames" / ".000003.tif.tmp"
        being_written.touch()
        with pytest.raises(SessionError, match="in use"):
            FrameRecorder(tmp_path)
        assert being_written.exists()


def test_the_role_is_free_again_when_its_process_is_killed(tmp_path: Path) -> None:
    with service(tmp_path, *RECORDS) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        FrameRecorder(tmp_path).close()


def test_the_role_is_free_again_when_its_service_is_closed(tmp_path: Path) -> None:
    FrameRecorder(tmp_path).close()
    FrameRecorder(tmp_path).close()
