"""Frames of which the analysing process dies, whatever is done about it."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomstream.ports import free_address
from streamer.frame import Frame, Stream
from streamer.session.analyst import AnalysisRecorder
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import FrameKey
from streamer.session.verify import verify

type Program = Any
type Start = Callable[..., Program]
type Report = Callable[..., None]
STREAM = Stream("5f0c", "SuperScan", "HAADF")
FRAMES = 6
KILLERS = (2, 3)
"""Next to each other: six deaths without a frame between them."""
TRIES = 3
PATIENCE_S = 90.0


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session with frames that are not analysed; some take a while."""
    folder = tmp_path / "session"
    rng = np.random.default_rng(1)
    with FrameRecorder(folder) as recorder:
        for seq in range(FRAMES):
            size = 1024 if seq in KILLERS else 64
            image = rng.poisson(4, (size, size)).astype(np.float32)
            frame = Frame(STREAM, seq, image, pixel_size_nm=0.02)
            recorder.commit_frame(frame, received_ns=time.time_ns())
        recorder.commit_end(STREAM, FRAMES)
    return folder


def kill_at_each_try(session: Path, seq: int, times: int) -> None:
    """Kill the analysing process each time it says that it begins with a frame."""
    begun = (
        "SELECT tries, (SELECT pid FROM services WHERE role = 'analyser') "
        "FROM attempts JOIN frames ON number = frame "
        "WHERE seq = ? AND tries >= ? AND reason IS NULL"
    )
    deadline_s = time.monotonic() + PATIENCE_S
    with closing(sqlite3.connect(session / "session.sqlite", timeout=30)) as index:
        for time_no in range(1, times + 1):
            while (row := index.execute(begun, (seq, time_no)).fetchone()) is None:
                assert time.monotonic() < deadline_s, f"frame {seq}, try {time_no}"
                time.sleep(0.005)
            os.kill(row[1], signal.SIGKILL)


def serve(program: Start, session: Path) -> Program:
    return program(
        "serve", "--connect", free_address(), "--record", session,
        "--publish", free_address(), "--until-end", "--threads", "1",
    )  # fmt: skip


def analysed(session: Path) -> list[int]:
    with SessionReader(session) as reader:
        return [key.seq for key in reader.analysed(STREAM.id)]


def command(*arguments: str | Path) -> str:
    return subprocess.run(
        [sys.executable, "-m", "atomstream", *map(str, arguments)],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
        env=os.environ | {"COLUMNS": "200"},
    ).stdout  # fmt: skip


@pytest.mark.timeout(600)
def test_a_frame_that_kills_the_analysis_three_times_is_set_aside_until_asked_for(
    session: Path, program: Start, report: Report
) -> None:
    service = serve(program, session)
    for seq in KILLERS:
        kill_at_each_try(session, seq, TRIES)
    assert service.process.wait(PATIENCE_S) == 0, service.said()
    others = [seq for seq in range(FRAMES) if seq not in KILLERS]
    assert analysed(session) == others
    with SessionReader(session) as reader:
        aside = reader.set_aside()
        events = [each.text for each in reader.events() if each.kind == "set aside"]
    assert [each.key.seq for each in aside] == list(KILLERS)
    assert all("died of it 3 times" in str(each.reason) for each in aside)
    assert len(events) == len(KILLERS)
    assert verify(session).whole
    for said in (
        command("sessions", "show", session),
        command("sessions", "verify", session),
    ):
        assert "set aside: frame 2" in said
        assert "died of it 3 times" in said

    # What is set aside stays so when the service is started again …
    again = serve(program, session)
    assert again.process.wait(PATIENCE_S) == 0, again.said()
    assert analysed(session) == others

    # … until somebody wants it, one frame or all.
    assert "1 frame" in command("sessions", "retry", session, "--frame", "2")
    last = serve(program, session)
    assert last.process.wait(PATIENCE_S) == 0, last.said()
    assert analysed(session) == [0, 1, 2, 4, 5]
    assert "1 frame" in command("sessions", "retry", session)
    report(frames=FRAMES, killers=len(KILLERS), deaths=len(KILLERS) * TRIES)


@pytest.mark.timeout(300)
def test_a_frame_is_tried_again_by_the_service_that_has_set_it_aside(
    session: Path, program: Start, wait_for: Callable[..., None]
) -> None:
    service = program(
        "serve", "--connect", free_address(), "--record", session,
        "--publish", free_address(), "--threads", "1",
    )  # fmt: skip
    kill_at_each_try(session, 2, TRIES)
    wait_for(lambda: analysed(session) == [0, 1, 3, 4, 5], PATIENCE_S)
    assert "1 frame" in command("sessions", "retry", session)
    wait_for(lambda: analysed(session) == list(range(FRAMES)), PATIENCE_S)
    assert service.said().count("is set aside") == 1


@pytest.mark.timeout(200)
def test_a_frame_is_tried_again_also_after_the_end_of_its_stream(
    session: Path, program: Start, wait_for: Callable[..., None]
) -> None:
    with AnalysisRecorder(session) as recorder:
        recorder.set_aside(FrameKey(STREAM.id, 1), "to see it again")
        for seq in KILLERS:
            recorder.set_aside(FrameKey(STREAM.id, seq), "they take long")
    service = program(
        "serve", "--connect", free_address(), "--record", session,
        "--publish", free_address(), "--threads", "1",
    )  # fmt: skip
    wait_for(lambda: analysed(session) == [0, 4, 5], PATIENCE_S)
    assert "1 frame" in command("sessions", "retry", session, "--frame", "1")
    wait_for(lambda: 1 in analysed(session), PATIENCE_S)
    wait_for(lambda: "frame 1 is recorded and not sent" in service.said(), 20)
    assert "1 frame" in command("sessions", "retry", session, "--frame", "2")
    wait_for(lambda: analysed(session) == [0, 1, 2, 4, 5], PATIENCE_S)
    assert service.process.poll() is None
    service.process.terminate()
    assert service.process.wait(20) == 0, service.said()


def test_a_frame_that_cannot_be_read_for_a_moment_is_not_set_aside(
    session: Path, program: Start, wait_for: Callable[..., None]
) -> None:
    file = session / "frames" / "000001.tif"
    content = file.read_bytes()
    file.unlink()
    file.symlink_to(file)  # what the disk answers with an error
    service = serve(program, session)
    wait_for(lambda: "frame 1 is tried again" in service.said(), PATIENCE_S)
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)
    assert service.process.wait(PATIENCE_S) == 0, service.said()
    assert analysed(session) == list(range(FRAMES))


def test_a_stop_is_not_held_against_the_frame_under_way(
    session: Path, program: Start, wait_for: Callable[..., None]
) -> None:
    service = serve(program, session)
    wait_for(lambda: analysed(session) == [0, 1], PATIENCE_S)
    service.process.terminate()
    assert service.process.wait(20) == 0
    with SessionReader(session) as reader:
        assert reader.attempts() == []


@pytest.mark.timeout(300)
def test_a_process_that_dies_before_it_achieves_anything_is_given_up(
    tmp_path: Path, program: Start, process_with: Callable[[Path, str], int | None]
) -> None:
    session = tmp_path / "session"
    service = program(
        "serve", "--connect", free_address(), "--record", session,
        "--publish", free_address(),
    )  # fmt: skip
    seen = {None}
    deadline_s = time.monotonic() + PATIENCE_S
    while service.process.poll() is None:
        assert time.monotonic() < deadline_s
        process = process_with(session, "recorder")
        if process not in seen:
            seen.add(process)
            os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    assert service.process.returncode == 2
    assert "receive died 5 times" in service.said()
