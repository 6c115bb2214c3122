"""A real service that serves metrics, as Prometheus sees it."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from atomstream.ports import free_address
from streamer.errors import SessionError
from streamer.session.reader import SessionReader

type Run = Callable[..., Any]
type Spawn = Callable[..., subprocess.Popen[str]]
type Wait = Callable[[Callable[[], bool], float], None]
type Ask = Callable[..., tuple[int, str]]
type Scrape = Callable[[int], dict[str, float]]

LATENCY = "atomstream_analysis_latency_seconds"
STAGE = "atomstream_stage_seconds"

SERVE = ("serve", "--connect", "tcp://127.0.0.1:5555", "--record", "{tmp}/session")
OPEN = "could be read by everybody in the network: give --metrics 127.0.0.1:9464, or"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--metrics", "0.0.0.0:9464"), f"the metrics at 0.0.0.0:9464 {OPEN}"),
        (("--metrics", "[::]:9464"), f"the metrics at [::]:9464 {OPEN}"),
        (("--metrics", "lab-pc:9464"), f"the metrics at lab-pc:9464 {OPEN}"),
        (("--metrics", "here"), "--metrics here: expected HOST:PORT"),
        (("--metrics", "70000"), "expected HOST:PORT"),
        (("--metrics", "127.0.0.1:{taken}"), "is in use by another program"),
        (("--metrics", "{taken}"), "choose another address with --metrics HOST:PORT"),
        (("--metrics", "192.0.2.1:9464", "--insecure"), "cannot be used here"),
        (
            ("--metrics", "{free}", "--dashboard", "127.0.0.1:{free}"),
            "is where the page is to be; give it another port",
        ),
    ],
)
def test_metrics_that_would_be_open_or_cannot_be_served_are_refused(
    run: Run, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = {"taken": other.getsockname()[1], "free": free_port()}
        words = (each.format(tmp=tmp_path, **ports) for each in (*SERVE, *options))
        outcome = run(*words)
    assert outcome.code == 2
    assert said in outcome.err.splitlines()[-1]
    assert not (tmp_path / "session").exists()


def free_port() -> int:
    return int(free_address().rpartition(":")[2])


def frames_in(session: Path) -> int:
    try:
        with SessionReader(session) as reader:
            return reader.totals().frames
    except SessionError:  # not there yet
        return 0


def test_a_service_tells_prometheus_what_its_session_holds(
    tmp_path: Path, spawn: Spawn, movie: Path, wait_for: Wait, ask: Ask, scrape: Scrape
) -> None:
    source, session, port = free_address(), tmp_path / "today", free_port()
    spawn(
        "serve", "--connect", source, "--record", session, "--threads", "1",
        "--publish", free_address(), "--metrics", str(port),
    )  # fmt: skip
    wait_for(lambda: ask(port, "/readyz")[0] == 200, 60)
    assert ask(port, "/healthz")[0] == 200
    spawn("replay", movie, "--bind", source, "--period", "0.1")
    analysed = "atomstream_frames_analysed_total"
    latencies = f"{LATENCY}_count"
    wait_for(
        lambda: (found := scrape(port)).get(analysed) == found.get(latencies) == 3, 90
    )
    found = scrape(port)
    with SessionReader(session) as reader:
        (stream,) = reader.streams()
        recorded = sorted(
            reader.analyses(stream.stream.id), key=lambda each: each.frame.seq
        )
    last = recorded[-1]
    of_movie = f"channel={stream.stream.channel},source={stream.stream.source}"
    sha256 = last.model.sha256[:12]
    expected = {
        "atomstream_service_heard": 1,
        "atomstream_recording": 1,
        "atomstream_frames_received_total": 3,
        "atomstream_frames_committed_total": 3,
        "atomstream_frames_waiting": 0,
        "atomstream_frames_set_aside": 0,
        "atomstream_frames_late_total": 0,
        f"atomstream_analyses_total{{{of_movie}}}": 3,
        f"{LATENCY}_sum": sum(each.latency_s for each in recorded),
        f"atomstream_atoms{{{of_movie},species=C}}": last.summary.counts["C"],
        f"atomstream_atoms{{{of_movie},species=Si}}": last.summary.counts["Si"],
        f"atomstream_mean_crystallinity{{{of_movie}}}": last.summary.mean_crystallinity,
        f"atomstream_hole_area_nm2{{{of_movie}}}": last.summary.hole_area_nm2,
        f"atomstream_lattice_constant_nm{{{of_movie}}}": (
            last.summary.lattice_constant_nm
        ),
        f"atomstream_model_info{{name={last.model.name},sha256={sha256}}}": 1,
        f"atomstream_provider_info{{provider={last.provider}}}": 1,
        **{
            f"{STAGE}_sum{{stage={stage}}}": sum(
                each.stages_ms.get(stage, 0) * 1e-3 for each in recorded
            )
            for stage in last.stages_ms
        },
    }
    assert {each: found.get(each) for each in expected} == pytest.approx(expected)
    assert found["atomstream_session_disk_free_bytes"] == pytest.approx(
        shutil.disk_usage(session).free, rel=0.2
    )
    assert 0 <= found["atomstream_last_analysis_age_seconds"] < 90


def listener_at(port: int, service: subprocess.Popen[str]) -> int:
    """The process of a service that serves at `port`."""
    for child in psutil.Process(service.pid).children(recursive=True):
        for each in child.net_connections(kind="tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr.port == port:
                return child.pid
    raise AssertionError(f"nobody listens at {port}")


def is_counted_anew(found: dict[str, float]) -> bool:
    """Whether fewer analyses were counted than the session has, as the service says."""
    counted = found.get(f"{LATENCY}_count", 0)
    return 0 < counted < found.get("atomstream_frames_analysed_total", 0)


def test_metrics_that_are_killed_come_back_and_cost_no_frame(
    tmp_path: Path, spawn: Spawn, wait_for: Wait, ask: Ask, scrape: Scrape
) -> None:
    stack = tmp_path / "noise.npy"
    np.save(stack, np.random.default_rng(1).random((500, 32, 32), np.float32))
    source, session, port = free_address(), tmp_path / "today", free_port()
    service = spawn(
        "serve", "--connect", source, "--record", session, "--threads", "1",
        "--publish", free_address(), "--metrics", f":{port}", "--no-refine",
    )  # fmt: skip
    spawn("replay", stack, "--bind", source, "--period", "0.1", "--pixel-size", "0.02")
    wait_for(lambda: scrape(port).get(f"{LATENCY}_count", 0) > 3, 90)
    victim, done = listener_at(port, service), frames_in(session)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: ask(port, "/readyz")[0] == 200, 60)
    assert listener_at(port, service) != victim
    wait_for(lambda: frames_in(session) > done + 3, 60)
    # What is the session's was not forgotten; what is counted began anew. The service
    # says the first with its heartbeats, which come behind what they are about.
    wait_for(lambda: is_counted_anew(scrape(port)), 60)
    with SessionReader(session) as reader:
        assert not reader.gaps()  # nothing was lost meanwhile
    service.terminate()
    assert service.wait(30) == 0


def test_a_service_that_hangs_between_two_runs_is_not_ready(
    tmp_path: Path, spawn: Spawn, wait_for: Wait, ask: Ask, scrape: Scrape
) -> None:
    stack = tmp_path / "noise.npy"
    np.save(stack, np.random.default_rng(1).random((1, 32, 32), np.float32))
    source, published, port = free_address(), free_address(), free_port()
    service = spawn(
        "serve", "--connect", source, "--record", tmp_path / "today", "--threads", "1",
        "--publish", published, "--metrics", str(port), "--no-refine",
    )  # fmt: skip
    wait_for(lambda: ask(port, "/readyz")[0] == 200, 60)
    spawn("replay", stack, "--bind", source, "--pixel-size", "0.02")
    wait_for(lambda: scrape(port).get(f"{LATENCY}_count") == 1, 60)
    wait_for(lambda: scrape(port)["atomstream_streams_open"] == 0, 60)
    assert ask(port, "/readyz")[0] == 200
    publishing = listener_at(int(published.rpartition(":")[2]), service)
    os.kill(publishing, signal.SIGSTOP)
    try:
        wait_for(lambda: ask(port, "/readyz")[0] == 503, 30)
        found = scrape(port)
        assert found["atomstream_service_heard"] == 0
        assert "atomstream_recording" not in found
    finally:
        os.kill(publishing, signal.SIGCONT)
    wait_for(lambda: ask(port, "/readyz")[0] == 200, 30)


def test_a_process_that_is_killed_is_counted_by_its_name(
    tmp_path: Path, spawn: Spawn, wait_for: Wait, scrape: Scrape
) -> None:
    port = free_port()
    service = spawn(
        "serve", "--connect", free_address(), "--record", tmp_path / "today",
        "--publish", free_address(), "--metrics", str(port), "--threads", "1",
    )  # fmt: skip
    name = "atomstream_process_restarts_total{{process={}}}".format

    def has(port: int, metric: str, value: int) -> bool:
        return scrape(port).get(metric) == value

    wait_for(lambda: scrape(port).get(name("analyse")) == 0, 90)
    for count in (1, 2):  # who tells of it is itself the one that died
        (victim,) = holders(service.pid, tmp_path / "today")
        os.kill(victim, signal.SIGKILL)
        wait_for(partial(has, port, name("analyse"), count), 90)
    counts = scrape(port)
    assert counts[name("receive")] == 0
    assert counts[name("metrics")] == 0


def holders(pid: int, session: Path) -> list[int]:
    """Processes of a service that have the lock of the analyser open."""
    return [
        child.pid
        for child in psutil.Process(pid).children(recursive=True)
        if any(
            "analyser" in each.path and Path(each.path).is_relative_to(session)
            for each in child.open_files()
        )
    ]
