"""Figures beside what they should reach, from figures that are known."""

from dataclasses import replace

import pytest

from atomstream.bench.figures import (
    FrameFigures,
    InferenceFigures,
    ModeFigures,
    NetworkFigures,
    StartFigures,
)
from atomstream.bench.gemm import GemmPeak
from atomstream.bench.machine import Machine
from atomstream.bench.peer.atomai import peer_frame
from atomstream.bench.peer.figures import PeerFigures
from atomstream.bench.running import in_short
from atomstream.bench.spread import Spread, Timing
from atomstream.bench.tables import print_frames
from atomstream.bench.targets import rows
from inference.evaluation.reach import Row


def timing(ms: float) -> Timing:
    return Timing(Spread(ms, 1.5 * ms), Spread(2 * ms, 3 * ms))


def mode(ms: float, peak_mb: float) -> ModeFigures:
    network = NetworkFigures(timing(ms / 4), 0.7, 8.0, 30.0, 15.0, 0.45, 0.5)
    return ModeFigures(
        atoms=100,
        frame=timing(ms),
        stages={"decode": timing(1.0), "network": timing(ms / 2)},
        network=network,
        encoder=timing(ms / 10),
        rest=timing(ms * 0.3),
        rest_share=0.3,
        peak_mb=peak_mb,
    )


def frame(size_px: int, ms: float) -> FrameFigures:
    refined = replace(
        mode(4 * ms, 400.0),
        stages={**mode(ms, 0).stages, "refine": timing(3 * ms)},
    )
    return FrameFigures(size_px, size_px / 64, 20, False, 101, mode(ms, 300.0), refined)


FIGURES = InferenceFigures(
    model="mine",
    model_sha256="0" * 64,
    provider="CPUExecutionProvider",
    threads=2,
    machine=Machine("a processor", 2, "Linux", 3.0, {"numpy": "2"}),
    gemm=GemmPeak(2, 2048, 70.0, 35.0),
    flop_per_pixel=11624.0,
    frames=(frame(512, 50.0), frame(1024, 200.0)),
    start=StartFigures(1024, 3, 2.5, 4.0, 380.0),
)

TOLD = {
    "plain": [{"wall_s": 2.0, "cpu_s": 4.0, "atoms": 98}] * 3,
    "refined": {"wall_s": 30.0, "cpu_s": 40.0, "atoms": 98},
}


def find(found: list[Row], what: str, where: str) -> Row:
    (row,) = [row for row in found if (row.what, row.where) == (what, where)]
    return row


@pytest.mark.parametrize(
    ("what", "where", "measured", "reached"),
    [
        ("p50, not refined, ms", "512²", 50, True),
        ("p50, not refined, ms", "1024²", 200, False),
        ("p99, not refined, ms", "1024²", 300, False),
        ("p99, not refined, ms", "512²", 75, None),
        ("p50, refined, ms", "1024²", 800, False),
        ("peak memory, refined, MB", "1024²", 400, False),
        ("network, share of GEMM peak", "1024²", 0.45, True),
        ("all but networks and fit, share", "1024²", 0.3, True),
        ("start to first result, s", "1024²", 2.5, True),
        ("CPU time a pixel, not refined", "1024² / 512²", 1.0, True),
    ],
)
def test_each_figure_stands_beside_what_it_should_reach(
    what: str, where: str, measured: float, reached: bool | None
) -> None:
    row = find(list(rows(FIGURES)), what, where)
    assert row.measured == pytest.approx(measured)
    assert row.reached is reached


def test_the_peer_is_compared_by_cpu_time_memory_and_what_it_found() -> None:
    told = peer_frame(FIGURES.frames[1], TOLD, peak_mb=2000.0)
    # ours: 0.4 CPU s not refined, 1.6 refined, 300 and 400 MB, 100 atoms
    assert told.ratios.cpu == pytest.approx(10)
    assert told.ratios.refined_cpu == pytest.approx(25)
    assert told.ratios.memory == pytest.approx(2000 / 300)
    assert told.ratios.refined_memory == pytest.approx(5)
    assert told.ratios.atoms == pytest.approx(0.98)
    peer = PeerFigures("AtomAI", {"torch": "2"}, 594067, 60, (told,))
    found = list(rows(replace(FIGURES, peer=peer)))
    assert find(found, "AtomAI: CPU time less, not refined", "1024²").reached is False
    assert find(found, "AtomAI: memory less, refined", "1024²").reached is True


def test_a_peer_that_did_not_refine_has_no_ratio_for_it() -> None:
    told = peer_frame(FIGURES.frames[0], {**TOLD, "refined": None}, peak_mb=1000.0)
    assert told.refined_cpu_s is None
    assert told.ratios.refined_cpu is None


def test_figures_are_json_and_a_table_of_every_stage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    figures = in_short(FIGURES).figures
    frames = figures["frames"]
    assert isinstance(frames, list)
    stages = frames[1]["refined"]["stages"]
    assert stages["refine"]["wall_ms"] == {"p50": 600.0, "p99": 900.0}
    print_frames(FIGURES)
    printed = capsys.readouterr().out
    for part in ("decode", "refine", "network alone", "1024²", "others were at work"):
        assert part in printed
