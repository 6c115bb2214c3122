"""What a service says: a line each, for people or for programs, and never a flood."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import zmq

from atomstream.flood import MOST
from atomstream.ports import free_address
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.session.reader import SessionReader
from streamer.wire import pack

type Program = Any
type Start = Callable[..., Program]
type Wait = Callable[[Callable[[], bool], float], None]
type Line = dict[str, Any]

FRAMES = 3
ALWAYS = {"time", "level", "process", "pid", "logger", "message"}
TEXT = re.compile(r"\d\d:\d\d:\d\d \S+: .+")
FORGED = "09:00:00 service: all is well"
NAME = f"scope\n{FORGED}\x1b[2J\u2028\n{FORGED}"
"""Of a source that would like to write lines of its own."""


def lines_of(program: Program) -> list[Line]:
    """Every line, which must be JSON."""
    return [json.loads(line) for line in program.said().splitlines()]


def serve(program: Start, source: str, session: Path, *options: str) -> Program:
    return program(
        "serve", "--connect", source, "--record", session,
        "--publish", free_address(), "--threads", "1", "--no-refine", *options,
    )  # fmt: skip


def send(source: str, stream: Stream, until: Callable[[], bool], wait: Wait) -> None:
    """Publish some noise, stay until a condition holds, and end."""
    noise = np.random.default_rng(1).random((FRAMES, 64, 64), np.float32)
    with zmq.Context() as context, Publisher(context, source) as publisher:
        for seq, image in enumerate(noise):
            publisher.send(Frame(stream, seq, image, pixel_size_nm=0.02))
        publisher.end(stream)
        wait(until, 90)


@pytest.fixture
def served(
    tmp_path: Path, program: Start, wait_for: Wait, totals: Callable[[Path], Any]
) -> Callable[..., Program]:
    """A service with page and metrics, after it has analysed and was stopped."""

    def run(stream: Stream, *options: str) -> Program:
        source, session = free_address(), tmp_path / "session"
        service = serve(program, source, session, *options)
        send(source, stream, lambda: totals(session).analyses == FRAMES, wait_for)
        service.process.terminate()
        service.process.wait(60)
        return service

    return run


def test_json_has_one_line_a_frame_with_its_identity(
    served: Callable[..., Program],
) -> None:
    stream = Stream.new(NAME, "HAADF")
    before, port = datetime.now(UTC), free_address().rpartition(":")[2]
    page = ("--dashboard", "127.0.0.1:0", "--metrics", port)
    service = served(stream, "--log-format", "json", *page)
    lines = lines_of(service)
    assert all(set(line) >= ALWAYS for line in lines)
    times = [datetime.fromisoformat(line["time"]) for line in lines]
    assert all(before.timestamp() - 1 < t.timestamp() for t in times)
    assert all(re.fullmatch(r"[\d-]+T[\d:]+\.\d{3}Z", line["time"]) for line in lines)
    assert {"receive", "analyse", "dashboard", "metrics", "service"} == {
        line["process"] for line in lines
    }
    of_frames = [line for line in lines if "seq" in line]
    assert [line["seq"] for line in of_frames] == list(range(FRAMES))
    for line in of_frames:
        assert (line["source"], line["channel"]) == (NAME, "HAADF")
        assert line["stream"] == stream.id
        assert (line["process"], line["level"]) == ("analyse", "info")
        assert line["atoms"] >= 0
        assert line["latency_s"] > 0
        assert all(isinstance(flag, str) for flag in line["flags"])
    pids = {line["process"]: line["pid"] for line in lines}
    assert pids["service"] == service.process.pid
    assert len(set(pids.values())) == len(pids)


def test_a_name_from_outside_makes_no_line(served: Callable[..., Program]) -> None:
    service = served(Stream.new(NAME, "HAADF"))
    said = service.said()
    assert "all is well" in said
    assert said.count("analyse: frame ") == FRAMES
    assert not set("\x1b\u2028") & set(said)
    for line in said.splitlines():
        assert not line.startswith(FORGED)
        assert TEXT.fullmatch(line), line


def test_levels(served: Callable[..., Program]) -> None:
    service = served(
        Stream.new("scope", "HAADF"), "--log-format", "json", "--log-level", "warning"
    )
    assert not [line for line in lines_of(service) if line["level"] == "info"]


def test_debug_has_frames_as_they_come_too(served: Callable[..., Program]) -> None:
    service = served(
        Stream.new("scope", "HAADF"), "--log-format", "json", "--log-level", "debug"
    )
    received = [line["seq"] for line in lines_of(service) if line["level"] == "debug"]
    assert received == list(range(FRAMES))


def test_the_file_of_settings_says_how(tmp_path: Path, program: Start) -> None:
    file = tmp_path / "atomstream.toml"
    file.write_text('log_format = "json"\nconnect = "tcp://127.0.0.1:5555"\n')
    service = program("serve", "--settings", str(file))
    assert service.process.wait(60) == 2
    (line,) = lines_of(service)
    assert (line["level"], line["process"]) == ("critical", "service")
    assert line["message"].startswith("--record is needed")


def test_a_process_that_cannot_go_on_says_so_in_json(
    tmp_path: Path, program: Start
) -> None:
    session = tmp_path / "session"
    session.mkdir()
    (session / "mine.txt").write_text("not a session")
    service = serve(program, free_address(), session, "--log-format", "json")
    assert service.process.wait(60) == 2
    lines = lines_of(service)
    assert lines[-1]["level"] == "critical"


def test_messages_that_make_no_sense_are_no_flood(
    tmp_path: Path,
    program: Start,
    wait_for: Wait,
    totals: Callable[[Path], Any],
) -> None:
    source, session = free_address(), tmp_path / "session"
    service = serve(program, source, session, "--log-format", "json")
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.set(zmq.LINGER, 0)
        socket.set(zmq.SNDHWM, 0)
        socket.bind(source)
        assert socket.poll(60_000), "nobody subscribes"
        for number in range(3000):
            socket.send_multipart([b"frame/a/b", b"\xc1%d" % number, b""])
        noise = np.random.default_rng(1).random((64, 64), np.float32)
        last = Frame(Stream.new("a", "b"), 0, noise, pixel_size_nm=0.02)
        socket.send_multipart(pack(last, 0))
        # They are read one after another: when it is there, all others were.
        wait_for(lambda: totals(session).frames == 1, 60)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
    said = [line for line in lines_of(service) if "thrown away" in line["message"]]
    assert len(said) == MOST
    assert {line["level"] for line in said} == {"warning"}
    left_out = [
        int(line["message"].split()[1])
        for line in lines_of(service)
        if "more of the kind in a minute" in line["message"]
    ]
    assert sum(left_out) == 3000 - MOST
    assert rejected(session) == MOST + len(left_out)


def rejected(session: Path) -> int:
    with SessionReader(session) as reader:
        return sum(event.kind == "rejected" for event in reader.events())


DIES = """
import logging, threading
from atomstream.logs import LogFormat, LogSettings, start_logging

start_logging(LogSettings(LogFormat("{form}")), "test")
log = logging.getLogger("test")
try:
    raise ValueError("a\\n{forged}")
except ValueError:
    log.exception("caught")
for number in range(100):
    log.warning("once more")
def fail():
    raise KeyError("in a thread")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
raise OSError("b\\n{forged}")
"""


def said_by(form: str) -> list[str]:
    program = DIES.format(form=form, forged=FORGED)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    return done.stderr.splitlines()


def test_what_nobody_catches_is_a_line_of_json() -> None:
    lines = [json.loads(line) for line in said_by("json")]
    messages = [line["message"] for line in lines]
    assert messages[0] == "caught"
    assert messages.count("once more") == MOST
    assert "KeyError: 'in a thread'" in messages
    assert f"OSError: b\n{FORGED}" in messages
    assert all("Traceback" in line["error"] for line in lines if "Error" in str(line))
    assert messages[-1].startswith(f"{100 - MOST} lines more")


def test_where_an_error_comes_from_stands_below_it_indented() -> None:
    lines = said_by("text")
    assert lines[1] == "  Traceback (most recent call last):"
    assert f"  {FORGED}" in lines
    caught = lines[: lines.index(next(each for each in lines if "once more" in each))]
    assert not [line for line in caught if line.startswith(FORGED)]


def test_a_process_that_dies_of_an_error_says_so_in_a_line(
    tmp_path: Path, program: Start, wait_for: Wait
) -> None:
    service = serve(program, free_address(), tmp_path / "s", "--log-format", "json")
    wait_for(lambda: "listening to" in service.said(), 60)
    children = psutil.Process(service.process.pid).children(recursive=True)
    (receiver,) = {
        line["pid"] for line in lines_of(service) if line["process"] == "receive"
    }
    assert receiver in {child.pid for child in children}
    os.kill(receiver, signal.SIGKILL)
    wait_for(lambda: "is started again" in service.said(), 60)
    assert [
        (line["process"], line["level"])
        for line in lines_of(service)
        if "is started again" in line["message"]
    ] == [("service", "warning")]
