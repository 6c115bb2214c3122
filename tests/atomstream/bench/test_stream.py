"""`atomstream bench stream` as it is typed, and its verdicts on known figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atomstream.bench.machine import Machine
from atomstream.bench.spread import Spread
from atomstream.bench.stream.figures import Durable, Received, StreamFigures
from atomstream.bench.stream.measure import Plan
from atomstream.bench.stream.targets import rows
from atomstream.bench.stream.told import UNCOUNTED

type Run = Callable[..., Any]


@pytest.mark.timeout(600)  # nine pairs of processes, on any machine
def test_every_figure_is_written_and_printed(tmp_path: Path, run: Run) -> None:
    out = tmp_path / "stream.json"
    small = ("--sizes", "64", "--runs", "1", "--frames", "10")
    outcome = run("bench", "stream", *small, "--disk", tmp_path, "--out", out)
    assert outcome.code == 0, outcome.err
    figures = json.loads(out.read_text())
    kinds = {(each["receiver"], each["transport"]) for each in figures["received"]}
    assert kinds == {
        (receiver, transport)
        for receiver in ("bare", "checked", "ours")
        for transport in ("tcp", "ipc", "curve")
    }
    for each in figures["received"]:
        assert (each["size_px"], each["runs"], each["frames"]) == (64, 1, 10)
        assert each["cpu_ms"]["p50"] > 0
        assert each["latency_ms"]["p99"] >= each["latency_ms"]["p50"] > 0
    assert figures["durable"]["frames_per_s"] > 1
    assert figures["peer_version"] is None
    for part in ("64²", "ipc", "checked", "CPU a frame, of bare", "committed"):
        assert part in outcome.out
    assert list(tmp_path.iterdir()) == [out]


REFUSED = {
    "no number": (("--sizes", "large"), "--sizes large: expected pixels"),
    "environment of nobody": (("--peer-env", "env"), "--peer karabo-bridge"),
    "no disk": (("--disk", "/nowhere/at/all"), "/nowhere/at/all is not a folder"),
    "no folder": (("--out", "/nowhere/at/all.json"), "/nowhere/at is not a folder"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_option_that_makes_no_sense_is_refused_in_one_line(
    run: Run, name: str
) -> None:
    options, says = REFUSED[name]
    outcome = run("bench", "stream", *options)
    assert outcome.code == 2
    assert says in outcome.err.splitlines()[-1]
    assert "Traceback" not in outcome.err


def received(
    receiver: str, cpu_ms: float, latency_ms: float = 1.0, transport: str = "tcp"
) -> Received:
    cpu, latency = Spread(cpu_ms, cpu_ms), Spread(latency_ms, latency_ms)
    return Received(receiver, transport, 1024, 1, 100, cpu, latency)


def verdicts(*all_received: Received, per_s: float = 50) -> dict[str, bool | None]:
    figures = StreamFigures(
        machine=Machine("a processor", 2, "Linux", 0.0, {}),
        per_second=20,
        received=all_received,
        durable=Durable(1024, 60, per_s, Spread(20, 30)),
        peer_version=None,
    )
    return {row.what: row.reached for row in rows(figures)}


def test_what_is_reached_is_said() -> None:
    bare, peer = received("bare", 1.0), received("karabo-bridge", 1.2)
    good = verdicts(bare, peer, received("ours", 1.1, latency_ms=4.9))
    assert set(good.values()) == {True}
    bad = verdicts(bare, peer, received("ours", 1.3, latency_ms=5.1), per_s=39)
    assert set(bad.values()) == {False}
    alone = verdicts(received("ours", 1.1))
    assert set(alone) == {"latency p50, ms", "committed to the disk, frames/s"}


@pytest.mark.parametrize(("cpu_ms", "reached"), [(1.11, True), (1.12, False)])
def test_encrypted_it_should_be_nine_tenths_of_the_bare_loop(
    cpu_ms: float, reached: bool
) -> None:
    bare = received("bare", 1.0, transport="curve")
    found = verdicts(bare, received("ours", cpu_ms, transport="curve"))
    assert found["CPU a frame, of bare"] is reached


def test_larger_frames_are_fewer_at_the_same_rate_of_bytes() -> None:
    plan = Plan((512, 1024, 2048), runs=1, frames=100)
    jobs = [plan.job("ours", "tcp://127.0.0.1:1", size) for size in plan.sizes]
    assert [job.frames - UNCOUNTED for job in jobs] == [100, 100, 25]
    assert [job.per_second for job in jobs] == [20, 20, 5]
