"""`atomstream bench inference` as it is typed."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from atomstream.bench.inference import Plan
from inference.catalogue import DEFAULT
from inference.device import Device

type Run = Callable[..., Any]


def numbers(value: object) -> Iterator[float]:
    """Every number, however deep."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


@pytest.mark.timeout(600)  # two processes that import everything, on any machine
def test_every_figure_is_written_and_printed(tmp_path: Path, run: Run) -> None:
    out = tmp_path / "speed.json"
    small = ("--sizes", "128", "--repeats", "1", "--threads", "1")
    outcome = run("bench", "inference", *small, "--out", out)
    assert outcome.code == 0, outcome.err
    figures = json.loads(out.read_text())
    assert figures["model"] == DEFAULT
    assert figures["threads"] == 1
    assert all(number >= 0 for number in numbers(figures))
    (frame,) = figures["frames"]
    assert (frame["size_px"], frame["field_nm"], frame["repeats"]) == (128, 2, 1)
    for mode in (frame["unrefined"], frame["refined"]):
        assert mode["atoms"] == pytest.approx(frame["atoms_there"], rel=0.05)
        assert mode["frame"]["wall_ms"]["p99"] >= mode["frame"]["wall_ms"]["p50"] > 0
        assert mode["frame"]["cpu_ms"]["p50"] > 0
        stages = [stage["wall_ms"]["p50"] for stage in mode["stages"].values()]
        assert sum(stages) == pytest.approx(mode["frame"]["wall_ms"]["p50"], rel=0.1)
        assert 0 < mode["rest_share"] < 1
        assert 100 < mode["peak_mb"] < 1000
        network = mode["network"]
        gflop = network["megapixels"] * figures["flop_per_pixel"] / 1e3
        assert network["gflop"] == pytest.approx(gflop, rel=1e-3)
        assert network["share_of_gemm"] > 0
    assert "refine" not in frame["unrefined"]["stages"]
    assert "refine" in frame["refined"]["stages"]
    assert 100 < figures["start"]["peak_mb"] < 1000
    assert figures["peer"] is None
    for part in ("128²", "refine", "network alone", "to reach", "peak memory"):
        assert part in outcome.out


REFUSED = {
    "no number": (("--sizes", "large"), "--sizes large: expected pixels"),
    "nothing between commas": (("--sizes", "64,,128"), "expected pixels"),
    "too small": (("--sizes", "32"), "expected 64 to 4096 pixels"),
    "too large": (("--sizes", "512,8192"), "expected 64 to 4096 pixels"),
    "unknown model": (("--model", "gold", "--sizes", "64"), "no model 'gold'"),
    "no folder": (("--out", "/nowhere/at/all.json"), "/nowhere/at is not a folder"),
    "environment of nobody": (("--peer-env", "env"), "--peer-env is of no use"),
    "too large for the peer": (
        ("--sizes", "4096", "--peer", "atomai"), "up to 2048 pixels",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_an_option_that_makes_no_sense_is_refused_in_one_line(
    run: Run, name: str
) -> None:
    options, says = REFUSED[name]
    outcome = run("bench", "inference", *options)
    assert outcome.code == 2
    last = outcome.err.splitlines()[-1]
    assert last.startswith("atomstream: ")
    assert says in last
    assert "Traceback" not in outcome.err


def test_larger_frames_are_repeated_less() -> None:
    plan = Plan(
        DEFAULT, (512, 1024, 2048, 4096), repeats=20, threads=2, device=Device.AUTO
    )
    assert [plan.repeats_of(size) for size in plan.sizes] == [20, 20, 5, 3]
    assert plan.start_px == 1024
    few = Plan(DEFAULT, (512, 4096), repeats=2, threads=2, device=Device.AUTO)
    assert [few.repeats_of(size) for size in few.sizes] == [2, 2]
    assert few.start_px == 512
