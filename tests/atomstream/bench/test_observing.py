"""`atomstream bench observing` as it is typed, and the CPU times that it stands on."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atomstream.bench.observing.processes import cpu_s
from streamer.errors import SettingsError

type Run = Callable[..., Any]

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells of other processes"
)


def test_cpu_time_is_that_which_a_process_counts_itself() -> None:
    begun_s, own_s = cpu_s(os.getpid()), time.process_time()
    while time.process_time() - own_s < 0.5:
        pass
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    assert cpu_s(os.getpid()) - begun_s == pytest.approx(0.5, abs=4 * tick_s)


def test_of_a_process_that_is_gone_nothing_is_made_up() -> None:
    with pytest.raises(SettingsError, match="nothing is known of process"):
        cpu_s(2**22 + 1)


@pytest.mark.timeout(300)
def test_every_figure_is_written_and_printed(tmp_path: Path, run: Run) -> None:
    out = tmp_path / "observing.json"
    small = ("--size", "128", "--frames", "10")
    outcome = run("bench", "observing", *small, "--out", out)
    assert outcome.code == 0, outcome.err
    figures = json.loads(out.read_text())
    assert set(figures["cpu_s"]) == {"service", "receive", "analyse", "metrics"}
    assert figures["cpu_s"]["analyse"] > 0
    assert figures["frames"] >= 10
    # One line a frame, and nothing else in a run in which nothing happens.
    assert figures["lines"] == pytest.approx(figures["frames"], abs=1)
    assert figures["frames"] / figures["wall_s"] <= 1.5 / figures["period_s"]
    assert 1 < figures["line_us"] < 10_000
    for part in ("metrics and log", "to reach", "a line of JSON"):
        assert part in outcome.out
