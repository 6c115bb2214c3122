"""One frame all the way, timed by a clock that is known."""

import itertools
from dataclasses import replace

import pytest

from atomstream.bench.gemm import GemmPeak
from atomstream.bench.mode import Subject, network_figures, repeat
from atomstream.bench.one_way import Run, Way
from atomstream.bench.scenes import draw_scene
from atomstream.bench.spread import Spread, Timing
from inference.catalogue import DEFAULT
from inference.device import Device
from inference.model import Model, load_model
from streamer.wire import Parts, pack


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(DEFAULT, threads=1)


@pytest.fixture(scope="module")
def message() -> Parts:
    return pack(draw_scene(128).frame(), sent_ns=0)


def once(model: Model, message: Parts, *, refine: bool) -> Run:
    """By a clock that goes on by a second whenever somebody looks at it."""
    ticks = itertools.count()
    return Way(model, refine=refine, clock=lambda: float(next(ticks))).go(message)


@pytest.mark.parametrize("refine", [False, True])
def test_every_stage_from_bytes_to_table_is_there_in_order(
    model: Model, message: Parts, refine: bool
) -> None:
    run = once(model, message, refine=refine)
    stages = list(run.stages_ms)
    assert stages[0] == "decode"
    assert stages[-1] == "table"
    assert ("refine" in stages) is refine
    assert all(taken > 0 for taken in run.stages_ms.values())
    assert run.atoms > 100


def test_networks_are_timed_apart_from_what_prepares_their_input(
    model: Model, message: Parts
) -> None:
    run = once(model, message, refine=False)
    assert (run.dcnn_ms, run.encoder_ms) == (1000, 1000)
    # 2 nm at 0.02 nm a pixel, padded to a multiple of the network's stride
    assert run.pixels == 112**2


def test_the_rest_is_all_but_networks_and_refinement() -> None:
    in_turn = Run({"network": 40.0, "refine": 30.0}, 100.0, 20.0, 10.0, True, 0, 0)
    assert in_turn.rest_ms == 40.0
    assert replace(in_turn, in_turn=False).rest_ms == 50.0


def test_each_repeat_is_taken_by_both_clocks_and_told(
    model: Model, message: Parts
) -> None:
    told: list[None] = []
    runs = repeat(model, message, 3, lambda: told.append(None), refine=False)
    assert len(runs.wall) == len(runs.cpu) == len(runs.together) == len(told) == 3
    every = (*runs.wall, *runs.cpu, *runs.together)
    assert len({run.atoms for run in every}) == 1


def test_a_networks_speed_is_its_arithmetic_over_its_time(model: Model) -> None:
    peak = GemmPeak(threads=2, side=64, gflop_s=100.0, gflop_per_cpu_s=50.0)
    subject = Subject(model, DEFAULT, 2, Device.CPU, peak, flop_per_pixel=2000.0)
    time = Timing(wall_ms=Spread(50.0, 60.0), cpu_ms=Spread(80.0, 90.0))
    figures = network_figures(time, 1_000_000, subject)
    assert figures.gflop == 2.0
    assert figures.gflop_s == pytest.approx(40.0)
    assert figures.share_of_gemm == pytest.approx(0.4)
    assert figures.gflop_per_cpu_s == pytest.approx(25.0)
    assert figures.share_of_gemm_cpu == pytest.approx(0.5)
