"""What the real service says of itself, to whoever subscribes to its analyses."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from atomstream.ports import free_address
from atomstream.words import state_in_words
from streamer.events import Received, Stands
from streamer.frame import Stream
from streamer.service_state import Recorded, ServiceState
from streamer.session.creation import create_session
from streamer.session.recorder import FrameRecorder
from streamer.stacks import open_stack
from streamer.subscriber import Subscriber

type Spawn = Callable[..., subprocess.Popen[str]]

FRAMES = 40


def test_a_service_says_how_it_stands(
    tmp_path: Path, spawn: Spawn, movie: Path
) -> None:
    session, analyses = tmp_path / "today", free_address()
    create_session(session)
    with open_stack(movie) as stack, FrameRecorder(session) as recorder:
        stream = Stream("movie", stack.source, stack.channel)
        for seq in range(FRAMES):
            frame = replace(stack.frame(seq % 3, stream), seq=seq)
            recorder.commit_frame(frame, received_ns=seq * 10**9)
    spawn(
        "serve", "--connect", free_address(), "--record", session,
        "--publish", analyses, "--threads", "1",
    )  # fmt: skip
    states: list[ServiceState] = []
    seen = 0
    with zmq.Context() as context, Subscriber(context, [analyses]) as subscriber:
        while not (seen == FRAMES and states and states[-1].waiting == 0):
            match subscriber.receive(60):
                case Stands(state=ServiceState() as state):
                    states.append(state)
                case Received():
                    seen += 1
                case None:
                    raise AssertionError(f"no word for a minute after {states[-1:]}")
                case _:
                    pass
    last = states[-1]
    assert state_in_words(last).startswith("session today, recorded: yes, ")
    assert state_in_words(last).endswith("40 frames committed, 0 wait, 0 set aside")
    assert {state.session for state in states} == {"today"}
    assert (last.received, last.committed, last.aside) == (FRAMES, FRAMES, 0)
    assert states[0].waiting > 0
    assert (last.recorded, last.reason) == (Recorded.YES, None)
    assert last.free_bytes is not None
    files = [*(session / "frames").iterdir(), *(session / "atoms").iterdir()]
    a_frame = sum(file.stat().st_size for file in files) / FRAMES
    assert last.bytes_per_s == pytest.approx(a_frame, rel=0.05)


def test_the_page_of_a_service_alerts_by_the_rules_that_it_was_given(
    tmp_path: Path, spawn: Spawn, movie: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("frames_in_a_row = 1\ncrystallinity_below = 1e6")
    source = free_address()
    spawn("replay", movie, "--bind", source, "--period", "0.2")
    serve = spawn(
        "serve", "--connect", source, "--record", tmp_path / "today",
        "--publish", free_address(), "--threads", "1",
        "--dashboard", "127.0.0.1:0", "--alerts", rules,
    )  # fmt: skip
    assert serve.stdout is not None
    alerts = (line for line in serve.stdout if "alert: mean crystallinity" in line)
    assert next(alerts).rstrip().endswith("below 1e+06, since frame 0")
