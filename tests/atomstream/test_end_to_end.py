"""The main job, with real processes, real sockets and real files."""

import csv
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
import zmq

from atomstream.ports import free_address
from streamer.analysis import Flag, PixelSizeSource
from streamer.errors import SessionError
from streamer.events import Received
from streamer.frame import Frame, Stream
from streamer.publisher import Publisher
from streamer.session.creation import create_session
from streamer.session.notes import Note, append_note
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.stacks import open_stack
from streamer.subscriber import Subscriber

type Run = Callable[..., Any]
type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]


def atoms_files(session: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (session / "atoms").iterdir()}


def analysed(session: Path) -> int:
    try:
        with SessionReader(session) as reader:
            return reader.totals().analyses
    except SessionError:  # not there yet
        return 0


def pixel_sizes(
    session: Path,
) -> list[tuple[float | None, float | None, PixelSizeSource | None]]:
    """Of each frame: its own, the one used, and where that comes from."""
    with SessionReader(session) as reader:
        (stream,) = reader.streams()
        return [
            (each.frame.pixel_size_nm, each.pixel_size_nm, each.pixel_size_source)
            for each in reader.analyses(stream.stream.id)
        ]


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        ((), (3 / 192, 3 / 192, PixelSizeSource.METADATA)),
        (("--pixel-size", "0.016"), (3 / 192, 0.016, PixelSizeSource.TOLD)),
    ],
    ids=["its own pixel size", "told another"],
)
def test_a_replayed_stack_gives_what_analyze_gives_bit_for_bit(
    tmp_path: Path,
    run: Run,
    spawn: Spawn,
    movie: Path,
    options: tuple[str, ...],
    sizes: tuple[float, float, PixelSizeSource],
) -> None:
    source, analyses = free_address(), free_address()
    live, direct = tmp_path / "live", tmp_path / "direct"
    replay = spawn("replay", movie, "--bind", source, "--period", "0.1")
    serve = spawn(
        "serve", "--connect", source, "--record", live, "--publish", analyses,
        "--until-end", *options,
    )  # fmt: skip
    assert serve.wait(60) == 0
    assert replay.wait(10) == 0
    assert run("analyze", movie, "--record", direct, *options).code == 0
    assert len(atoms_files(live)) == 3
    assert atoms_files(live) == atoms_files(direct)
    assert pixel_sizes(live) == pixel_sizes(direct) == 3 * [pytest.approx(sizes)]


def test_who_connects_after_the_last_frame_still_gets_every_one(
    tmp_path: Path, spawn: Spawn, movie: Path
) -> None:
    source, session = free_address(), tmp_path / "session"
    replay = spawn("replay", movie, "--bind", source, "--period", "0")
    lines = iter(replay.stdout)
    assert any("all sent" in line for line in lines)
    serve = spawn(
        "serve", "--connect", source, "--record", session,
        "--publish", free_address(), "--until-end",
    )  # fmt: skip
    assert serve.wait(60) == 0
    assert analysed(session) == 3


def test_an_interrupted_analysis_goes_on_where_it_was(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    session = tmp_path / "session"
    assert run("analyze", movie, "--record", session).code == 0
    before = atoms_files(session)
    outcome = run("analyze", movie, "--record", session)
    assert outcome.code == 0
    assert atoms_files(session) == before
    with SessionReader(session) as reader:
        assert reader.totals().frames == 3


def test_a_killed_process_of_the_service_comes_back_and_nothing_is_lost(
    tmp_path: Path, spawn: Spawn, movie: Path, wait_for: Wait
) -> None:
    source, session = free_address(), tmp_path / "session"
    spawn("replay", movie, "--bind", source, "--period", "1.5")
    serve = spawn(
        "serve", "--connect", source, "--record", session,
        "--publish", free_address(), "--until-end",
    )  # fmt: skip
    wait_for(lambda: analysed(session) >= 1, 90)
    for child in psutil.Process(serve.pid).children(recursive=True):
        child.send_signal(signal.SIGKILL)
    assert serve.wait(60) == 0
    assert analysed(session) == 3
    with SessionReader(session) as reader:
        assert reader.gaps() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_service_with_exit_code_0(
    tmp_path: Path, spawn: Spawn, number: signal.Signals
) -> None:
    session = tmp_path / "session"
    serve = spawn(
        "serve", "--connect", free_address(), "--record", session,
        "--publish", free_address(),
    )  # fmt: skip
    lines = iter(serve.stdout)
    assert any("publishing at" in line for line in lines)
    serve.send_signal(number)
    assert serve.wait(15) == 0


def test_a_service_that_is_stopped_twice_ends_with_exit_code_0(
    tmp_path: Path, spawn: Spawn
) -> None:
    serve = spawn(
        "serve", "--connect", free_address(), "--record", tmp_path / "session",
        "--publish", free_address(),
    )  # fmt: skip
    assert any("publishing at" in line for line in iter(serve.stdout))
    # As often as it takes: to its very end.
    while not ended_within(serve, 0.02):
        serve.send_signal(signal.SIGTERM)
    assert "Traceback" not in serve.stdout.read()
    assert serve.returncode == 0


def ended_within(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def test_a_replay_that_is_stopped_twice_while_somebody_listens_ends_with_exit_code_0(
    spawn: Spawn, movie: Path
) -> None:
    source = free_address()
    replay = spawn("replay", movie, "--bind", source, "--period", "60")
    with zmq.Context() as context, Subscriber(context, [source]) as subscriber:
        while not isinstance(subscriber.receive(40), Received):
            pass
        # As often as it takes: also while it gives its address back.
        while not ended_within(replay, 0.02):
            replay.send_signal(signal.SIGINT)
            replay.send_signal(signal.SIGTERM)
    assert "Traceback" not in replay.stdout.read()
    assert replay.returncode == 0


def test_a_bad_frame_is_recorded_and_flagged_and_the_stream_goes_on(
    tmp_path: Path, run: Run
) -> None:
    rng = np.random.default_rng(3)
    frames = rng.poisson(3, (4, 96, 96)).astype(np.float32)
    frames[1, :40] = np.nan
    frames[2] = 0
    stack, session = tmp_path / "stack.npy", tmp_path / "session"
    np.save(stack, frames)
    outcome = run("analyze", stack, "--record", session, "--pixel-size", "0.0156")
    assert outcome.code == 0
    with SessionReader(session) as reader:
        stream = reader.streams()[0].stream.id
        flags = [record.flags for record in reader.analyses(stream)]
        np.testing.assert_array_equal(reader.frame(stream, 1).image, frames[1])
    assert Flag.NOT_FINITE in flags[1]
    assert Flag.CONSTANT in flags[2]
    assert not {Flag.NOT_FINITE, Flag.CONSTANT, Flag.FAILED} & {*flags[0], *flags[3]}


def test_exported_atoms_are_those_of_the_session(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    session, table = tmp_path / "session", tmp_path / "atoms.csv"
    run("analyze", movie, "--record", session)
    assert run("export", session, table).code == 0
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert {row["frame"] for row in rows} == {"0", "1", "2"}
    assert len(rows) == pq.read_table(session / "atoms").num_rows


def test_the_truth_lies_beside_a_simulated_movie(movie: Path) -> None:
    truth = pq.read_table(movie.with_suffix(".truth.parquet")).to_pydict()
    assert set(truth["frame"]) == {0, 1, 2}
    assert set(truth["species"]) <= {"C", "Si"}
    # 3 nm a side at 38.2 atoms a nm², less holes
    assert 250 < truth["frame"].count(0) < 360


def test_tap_prints_what_travels(spawn: Spawn, movie: Path) -> None:
    source = free_address()
    spawn("replay", movie, "--bind", source, "--period", "0")
    tap = spawn("tap", source, "--all", "--count", "3")
    assert tap.wait(30) == 0
    lines = tap.stdout.read().splitlines()
    frames = [line for line in lines if line.startswith("frame HAADF")]
    assert [line.split(":")[0] for line in frames] == [
        "frame HAADF 0", "frame HAADF 1", "frame HAADF 2",
    ]  # fmt: skip
    assert "192 x 192 float32, pixel 0.015625 nm, complete" in frames[0]
    assert "missed" not in "".join(lines)


def test_tap_says_what_it_came_too_late_for(spawn: Spawn) -> None:
    stream = Stream(str(uuid4()), "SuperScan", "HAADF")
    image = np.zeros((16, 16), np.float32)
    with zmq.Context() as context, Publisher(context, free_address()) as publisher:
        for seq in range(4):
            publisher.send(Frame(stream, seq, image))
        tap = spawn("tap", publisher.url, "--count", "1")
        lines = iter(tap.stdout.readline, "")
        assert any(line.startswith("frame stream") for line in lines)
        publisher.send(Frame(stream, 4, image))
        assert tap.wait(30) == 0
        assert next(lines) == (
            f"frame stream {stream.id}: frames 0 to 3 missed (came before; --all shows "
            "those kept)\n"
        )
        assert next(lines).startswith("frame HAADF 4")


def test_sessions_are_listed_shown_and_verified(
    tmp_path: Path, run: Run, movie: Path
) -> None:
    session = tmp_path / "runs" / "one"
    run("analyze", movie, "--record", session)
    assert "one" in run("sessions", "list", session.parent).out
    shown = run("sessions", "show", session).out
    assert "movie.tif" in shown
    with SessionReader(session) as reader:
        stream_id = reader.streams()[0].stream.id
    assert f"stream 0: id {stream_id}" in shown
    append_note(session, Note(0, stream_id, 1, "a [red]hole[/red] opens"))
    said = "note: 1970-01-01 00:00 UTC, frame 1 of stream 0: a [red]hole[/red] opens"
    assert said in " ".join(run("sessions", "show", session).out.split())
    assert run("sessions", "verify", session).code == 0
    other = shutil.copytree(session, tmp_path / "runs" / "two")
    both = run("sessions", "verify", session, other)
    assert both.out.splitlines() == [f"{session}: whole", f"{other}: whole"]
    damaged = session / "frames" / "000001.tif"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    outcome = run("sessions", "verify", session, other)
    assert outcome.code == 1
    assert "000001.tif" in outcome.out
    assert outcome.out.splitlines()[-1] == f"{other}: whole"


def test_the_demo_ends_by_itself_and_leaves_a_whole_session(
    tmp_path: Path, spawn: Spawn, run: Run
) -> None:
    session = tmp_path / "session"
    demo = spawn(
        "demo", "--frames", "5", "--speed", "1000", "--no-dashboard",
        "--record", session,
    )  # fmt: skip
    assert demo.wait(60) == 0
    assert f"the session is in {session}: atomstream dashboard" in demo.stdout.read()
    assert analysed(session) == 5
    assert run("sessions", "verify", session).code == 0


def test_shipped_models_are_listed_and_whole(run: Run) -> None:
    assert "graphene-si" in run("models", "list").out
    assert run("models", "verify").code == 0
    assert '"pixel_size_nm": 0.02' in run("models", "show", "graphene-si", "--json").out
    card = run("models", "show", "graphene-si").out
    assert "resampled to 0.02 nm a pixel" in card
    assert {len(line) for line in card.splitlines()} <= set(range(81))


def test_doctor_finds_nothing_wrong_here(tmp_path: Path, run: Run) -> None:
    outcome = run("doctor", "--record", tmp_path)
    assert outcome.code == 0
    assert "1024 x 1024 frame" in outcome.out.replace("\n", " ")


def test_doctor_says_when_a_source_is_not_heard(tmp_path: Path, run: Run) -> None:
    outcome = run("doctor", "--record", tmp_path, "--connect", free_address())
    assert outcome.code == 1
    assert "nothing from" in outcome.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_replay_that_waits_with_exit_code_0(
    spawn: Spawn, movie: Path, number: signal.Signals
) -> None:
    replay = spawn("replay", movie, "--bind", free_address(), "--period", "0")
    lines = iter(replay.stdout)
    assert any("all sent" in line for line in lines)
    replay.send_signal(number)
    assert replay.wait(15) == 0
    assert "Traceback" not in replay.stdout.read()


def test_a_stopped_service_comes_back_for_the_rest(
    tmp_path: Path, spawn: Spawn, movie: Path, wait_for: Wait
) -> None:
    source, session = free_address(), tmp_path / "session"
    replay = spawn("replay", movie, "--bind", source, "--period", "2")
    serve = ("serve", "--connect", source, "--record", session)
    first = spawn(*serve, "--publish", free_address())
    wait_for(lambda: analysed(session) >= 1, 40)
    first.send_signal(signal.SIGTERM)
    assert first.wait(15) == 0
    assert analysed(session) < 3
    second = spawn(*serve, "--publish", free_address(), "--until-end")
    assert second.wait(60) == 0
    assert replay.wait(15) == 0
    assert analysed(session) == 3


def test_a_damaged_frame_is_set_aside_and_the_stream_goes_on(
    tmp_path: Path, spawn: Spawn, movie: Path
) -> None:
    session, source = tmp_path / "session", free_address()
    create_session(session)
    with open_stack(movie) as stack, FrameRecorder(session) as recorder:
        stream = Stream("damaged", stack.source, stack.channel)
        for seq in range(3):
            recorder.commit_frame(stack.frame(seq, stream), received_ns=0)
        recorder.commit_end(stream, 3)
    frame = session / "frames" / "000001.tif"
    frame.write_bytes(frame.read_bytes()[:-1] + b"\0\1")
    serve = spawn(
        "serve", "--connect", source, "--record", session,
        "--publish", free_address(), "--until-end",
    )  # fmt: skip
    assert serve.wait(150) == 0
    with SessionReader(session) as reader:
        assert [key.seq for key in reader.analysed(stream.id)] == [0, 2]
        assert any(event.kind == "set aside" for event in reader.events())
