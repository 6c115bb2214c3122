"""`sessions show --frame`: the life of one frame, and nothing that nobody recorded."""

import itertools
import math
import re
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from atomstream.life import Moment, life_in_words, life_of, zero_of
from atomstream.ports import free_address
from streamer.analysis import Analysis, ModelId, Preview, Summary
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.frame import Completeness, Frame, Stream
from streamer.session.analyst import AnalysisRecorder
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import FrameKey
from tests.atomstream.conftest import Outcome

type Run = Callable[..., Outcome]
type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]

STREAM = Stream("5f0c", "SuperScan", "HAADF")
OTHER = Stream("77aa", "SuperScan", "MAADF")
T0_NS = 1_700_000_000_000_000_000
"""2023-11-14 22:13:20 UTC, when the scan ends."""


def frame_of(seq: int, stream: Stream = STREAM, end_ns: int | None = T0_NS) -> Frame:
    image = np.zeros((16, 16), np.float32)
    start_ns = None if end_ns is None else end_ns - 33_500_000_000
    return Frame(stream, seq, image, start_ns=start_ns, end_ns=end_ns)


def analysis_of(frame: Frame, latency_s: float) -> Analysis:
    model = ModelId("compact", "ab" * 32, ("crystallinity",), 2.0)
    names = [*FIXED_COLUMNS, *model.latents]
    return Analysis(
        stream=frame.stream, seq=frame.seq, model=model, provider="CPU",
        shape=frame.shape, pixel_size_nm=None, origin_nm=(0, 0), time_s=math.nan,
        dose_e_nm2=math.nan, completeness=Completeness.COMPLETE, flags=(),
        atoms=Atoms.from_columns({name: np.zeros(1) for name in names}),
        summary=Summary({"C": 1}, 4.0, 50.0, 0.0, 0.142, 0.5),
        stages_ms={"segment": 100.0, "refine": 250.0}, latency_s=latency_s,
        preview=Preview(np.zeros((16, 16), np.uint8), 0.0, 1.0),
    )  # fmt: skip


def after(ms: int) -> int:
    return T0_NS + ms * 1_000_000


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Frame 0 with all that is known of it, 1 without an analysis, 2 twice."""
    folder = tmp_path / "session"
    with FrameRecorder(folder, wall_ns=lambda: after(50)) as recorder:
        recorder.commit_frame(frame_of(0), after(30), sent_ns=after(20))
        recorder.commit_frame(frame_of(1, end_ns=None), after(30))
        for stream in (STREAM, OTHER):
            recorder.commit_frame(frame_of(2, stream), after(30))
        recorder.commit_gap(STREAM, 5, 6, "its source has it no more", T0_NS)
    with AnalysisRecorder(folder, wall_ns=lambda: after(990)) as analyst:
        analyst.commit_analysis(analysis_of(frame_of(0), latency_s=0.9))
        analyst.set_aside(FrameKey(STREAM.id, 2), "it was fatal three times")
    return folder


def moments(session: Path, seq: int) -> list[tuple[str, str, str, str]]:
    with SessionReader(session) as reader:
        found = reader.analyses(STREAM.id, seq, seq)
        aside = [each for each in reader.set_aside() if each.key.seq == seq]
        record = reader.frame_record(STREAM.id, seq)
        frame = reader.frame(STREAM.id, seq)
    life = life_of(
        frame, record, found[0] if found else None, aside[0] if aside else None
    )
    return list(life_in_words(list(life)))


def test_each_moment_stands_on_the_clock_and_counts_from_the_end_of_the_scan(
    session: Path,
) -> None:
    assert moments(session, 0) == [
        ("scan begins", "2023-11-14 22:12:46.500", "-33.500 s", "source's clock"),
        ("scan ends", "2023-11-14 22:13:20.000", "+0.000 s", "source's clock"),
        ("sent", "2023-11-14 22:13:20.020", "+0.020 s", "source's clock"),
        ("received", "2023-11-14 22:13:20.030", "+0.030 s", ""),
        ("committed", "2023-11-14 22:13:20.050", "+0.050 s", ""),
        ("analysis begins", "2023-11-14 22:13:20.580", "+0.580 s", ""),
        ("  segment done", "2023-11-14 22:13:20.680", "+0.680 s", "took 100.0 ms"),
        ("  refine done", "2023-11-14 22:13:20.930", "+0.930 s", "took 250.0 ms"),
        ("analysis committed", "2023-11-14 22:13:20.990", "+0.990 s", ""),
    ]


def test_what_nobody_recorded_is_said_and_not_made_up(session: Path) -> None:
    assert moments(session, 1) == [
        ("scan begins", "not recorded", "", "source's clock"),
        ("scan ends", "not recorded", "", "source's clock"),
        ("sent", "not recorded", "", "source's clock"),
        ("received", "2023-11-14 22:13:20.030", "+0.000 s", ""),
        ("committed", "2023-11-14 22:13:20.050", "+0.020 s", ""),
        ("analysis", "not recorded", "", "not yet"),
    ]
    assert moments(session, 2)[-1] == (
        "set aside", "not recorded", "", "it was fatal three times",
    )  # fmt: skip


def test_a_frame_that_was_scanned_another_day_counts_from_when_it_came(
    tmp_path: Path, run: Run
) -> None:
    with FrameRecorder(tmp_path / "replayed", wall_ns=lambda: after(50)) as recorder:
        recorder.commit_frame(frame_of(0, end_ns=T0_NS // 2), after(30), after(20))
    said = run("sessions", "show", tmp_path / "replayed", "--frame", "0").out
    assert "since received" in said
    assert "-0.010 s" in said
    assert "+0.020 s" in said


def test_it_is_printed_whole_and_says_what_a_session_cannot_know(
    session: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    outcome = run("sessions", "show", session, "--frame", "0")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "frame 0 of stream 5f0c (SuperScan / HAADF)"
    assert lines[1].split() == ["UTC", "since", "scan's", "end"]
    assert "2023-11-14 22:13:20.930  +0.930 s" in lines[9]
    assert lines[-1].startswith("when viewers painted it is not recorded")
    assert "since received" in run("sessions", "show", session, "--frame", "1").out


@pytest.mark.parametrize("name", ["1", "77aa", "77"])
def test_a_frame_of_several_streams_is_named_by_its_stream(
    session: Path, run: Run, name: str
) -> None:
    outcome = run("sessions", "show", session, "--frame", "2")
    assert outcome.code == 2
    assert "frame 2 is in the streams 0, 1 of " in outcome.err
    outcome = run("sessions", "show", session, "--frame", "2", "--stream", name)
    assert outcome.out.startswith("frame 2 of stream 77aa (SuperScan / MAADF)")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--frame", "9"), "has no frame 9\n"),
        (("--frame", "6"), "has no frame 6: it is lost: its source has it no more\n"),
        (("--frame", "0", "--stream", "x"), "has no stream 'x'\n"),
        (("--frame", "0", "--stream", "1"), "has no frame 0\n"),
        (("--frame", "6", "--stream", "1"), "has no frame 6\n"),
        (("--stream", "1"), "--stream goes with --frame N\n"),
    ],
)
def test_a_frame_that_is_not_there_is_told_in_one_line(
    session: Path, run: Run, options: tuple[str, ...], words: str
) -> None:
    outcome = run("sessions", "show", session, *options)
    assert outcome.code == 2
    assert outcome.err.endswith(words)
    assert outcome.err.count("\n") == 1


@pytest.mark.timeout(300)
def test_in_a_real_service_each_moment_comes_after_the_one_before(
    tmp_path: Path, run: Run, spawn: Spawn, movie: Path, wait_for: Wait
) -> None:
    source, folder = free_address(), tmp_path / "kept"
    service = spawn(
        "serve", "--connect", source, "--record", folder, "--threads", "1",
        "--publish", free_address(), "--until-end",
    )  # fmt: skip
    spawn("replay", movie, "--bind", source, "--period", "0.5")
    wait_for(lambda: service.poll() is not None, 180)
    said = run("sessions", "show", folder, "--frame", "1").out
    at = {
        line[:20].strip(): datetime.fromisoformat(found[0])
        for line in said.splitlines()
        if (found := re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", line))
    }
    order = [name for name in at if not name.startswith("scan")]
    assert order[:3] == ["sent", "received", "committed"]
    assert {"network done", "refine done"} <= set(order)
    assert order[-1] == "analysis committed"
    assert all(at[a] <= at[b] for a, b in itertools.pairwise(order)), said


@pytest.mark.parametrize(
    ("received_after_s", "counted_from_s"),
    [(0.2, 0), (-0.5, 0), (-30, -30), (90_000, 90_000)],
)
def test_a_life_counts_from_the_end_of_the_scan_where_that_makes_sense(
    received_after_s: float, counted_from_s: float
) -> None:
    ended_ns = 1_700_000_000 * 10**9
    received_ns = ended_ns + round(received_after_s * 1e9)
    moments = [Moment("scan ends", ended_ns), Moment("received", received_ns)]
    assert zero_of(moments) == ended_ns + round(counted_from_s * 1e9)
