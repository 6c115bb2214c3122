"""A whole frame does not wait for what was sent of others while they were scanned."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from atomstream.ports import free_address
from atomstream.service.waiting import Waiting
from streamer.frame import Completeness, Frame, Stream
from streamer.session.creation import create_session
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import FrameKey

type Spawn = Callable[..., subprocess.Popen[str]]


def keys(words: str) -> list[FrameKey]:
    """Of streams a, b, …, frames 0, 1, …"""
    return [FrameKey(word[0], int(word[1:])) for word in words.split()]


@pytest.mark.parametrize(
    ("waiting", "partial", "order"),
    [
        ("", "", ""),
        ("a0 a1 b0", "", "a0 a1 b0"),
        ("p0 p1 a0", "p0 p1", "a0 p0 p1"),
        ("p0 a0 p1 b0 a1", "p0 p1", "a0 b0 a1 p0 p1"),
        ("a0 a1 b0", "a0", "b0 a0 a1"),
        ("p0 q0", "p0 q0", "p0 q0"),
    ],
)
def test_whole_frames_go_first_and_no_frame_overtakes_its_own_stream(
    waiting: str, partial: str, order: str
) -> None:
    frames = Waiting()
    frames.renew(keys(waiting), frozenset(keys(partial)))
    assert frames.may_be_overtaken is bool(partial)
    taken = [frames.take() for _ in waiting.split()]
    assert taken == keys(order)
    assert not frames


def test_a_frame_that_is_put_back_is_next() -> None:
    frames = Waiting()
    frames.renew(keys("a0 a1"), frozenset())
    frames.put_back(frames.take())
    assert [frames.take(), frames.take()] == keys("a0 a1")


def test_a_service_analyses_the_whole_frame_before_the_partial_ones(
    tmp_path: Path, spawn: Spawn
) -> None:
    session = tmp_path / "session"
    create_session(session)
    scanned, whole = (
        Stream("5f0c", "S", "HAADF (scanning)"),
        Stream("77aa", "S", "HAADF"),
    )
    image = np.random.default_rng(1).poisson(4, (64, 64)).astype(np.float32)
    with FrameRecorder(session) as recorder:
        for seq in range(3):
            frame = Frame(
                scanned, seq, image, pixel_size_nm=0.02,
                completeness=Completeness.PARTIAL, valid_rows=16 * (seq + 1),
            )  # fmt: skip
            recorder.commit_frame(frame, received_ns=0)
        recorder.commit_frame(Frame(whole, 0, image, pixel_size_nm=0.02), received_ns=0)
        recorder.commit_end(scanned, 3)
        recorder.commit_end(whole, 1)
    serve = spawn(
        "serve", "--connect", free_address(), "--record", session,
        "--publish", free_address(), "--until-end",
    )  # fmt: skip
    assert serve.wait(110) == 0
    with SessionReader(session) as reader:
        partial = [each.committed_ns for each in reader.analyses(scanned.id)]
        (first,) = [each.committed_ns for each in reader.analyses(whole.id)]
    assert len(partial) == 3
    assert first < min(partial)
