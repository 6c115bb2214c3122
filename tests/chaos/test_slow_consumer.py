"""A consumer that is too slow, and one that is quick enough for a long time.

Source and consumer are processes of their own, so that what each takes can be seen.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from atomstream.ports import free_address

PROGRAMS = Path(__file__).parent / "programs"
SIDE_PX = 1024
TOO_SLOW = 5
SLOW_S, SLOW_LONG_S = 15, 600
SLOW_PERIOD_S = 0.125
MEMORY_MB = 200
MEDIAN_SEND_MS = 50
LONGEST_SEND_MS, BUSY_SEND_MS = 1000, 5000
"""Of 4 MB; one that waited for the consumer would take half a second each time."""
LASTS, BUSY_LASTS = 1.1, 1.5
"""Of the time that the source should take; on a machine that does other things too."""
STEADY_S, STEADY_LONG_S = 15, 1800
STEADY_PERIOD_S = 33.5 / 50
"""50 times as fast as the microscope."""
FLAT_MB, FLAT_LONG_MB = 20, 40
PATIENCE_S = 60


@pytest.fixture
def tcp_url() -> str:
    return free_address()


@dataclass
class Taken:
    """By a process, at one moment."""

    mb: float
    descriptors: int
    threads: int


def taken(process: subprocess.Popen[str]) -> Taken:
    seen = psutil.Process(process.pid)
    memory = seen.memory_info()
    return Taken(memory.rss / 1e6, seen.num_fds(), seen.num_threads())


@contextmanager
def program(name: str, **told: object) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, PROGRAMS / name, json.dumps(told)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    return (line.strip() for line in process.stdout)


def sending(source: subprocess.Popen[str]) -> dict[str, Any]:
    """What a source says of its sending once it has sent all."""
    *_, last = said(source)
    told: dict[str, Any] = json.loads(last)
    return told


@pytest.mark.timeout(1800)
def test_a_consumer_that_is_five_times_too_slow(
    tcp_url: str, long: bool, report: Callable[..., None]
) -> None:
    lasts_s = SLOW_LONG_S if long else SLOW_S
    count = round(lasts_s / SLOW_PERIOD_S)
    with (
        program(
            "source.py", url=tcp_url, stream=str(uuid4()), side=SIDE_PX, first=0,
            last=count - 1, period_s=SLOW_PERIOD_S, waits=True, keeps_all=True,
            retention_bytes=2**25,
        ) as source,
        program(
            "consumer.py", url=tcp_url, rest_s=TOO_SLOW * SLOW_PERIOD_S
        ) as consumer,
    ):  # fmt: skip
        assert source.stdout is not None
        assert source.stdout.readline() == "bound\n"
        lines = said(consumer)
        seqs = [int(next(lines))]
        before = taken(consumer), taken(source)
        peak = [before[0].mb, before[1].mb]

        def look() -> None:
            for place, process in enumerate((consumer, source)):
                peak[place] = max(peak[place], taken(process).mb)

        end_s = time.monotonic() + lasts_s
        while time.monotonic() < end_s:
            seqs.append(int(next(lines)))
            look()
        behind = count - len(seqs)
        assert consumer.stdin is not None
        consumer.stdin.write("hurry\n")
        consumer.stdin.flush()
        for line in lines:
            if line == "end":
                break
            seqs.append(int(line))
            look()
        told = sending(source)
    more_mb = [now - then.mb for now, then in zip(peak, before, strict=True)]
    took_ms = told["took_ms"]
    report(
        frames=count, behind=behind, lost=count - len(set(seqs)),
        consumer_more_mb=round(more_mb[0]), source_more_mb=round(more_mb[1]),
        send_median_ms=round(statistics.median(took_ms), 2),
        send_longest_ms=round(max(took_ms), 1),
        source_lasted=round(told["lasted_s"] / lasts_s, 3),
    )  # fmt: skip
    assert seqs == list(range(count))
    assert behind > count / 2
    assert max(more_mb) <= MEMORY_MB
    assert statistics.median(took_ms) <= MEDIAN_SEND_MS
    assert max(took_ms) <= (LONGEST_SEND_MS if long else BUSY_SEND_MS)
    assert told["lasted_s"] <= (LASTS if long else BUSY_LASTS) * lasts_s


@pytest.mark.timeout(2400)
def test_fifty_times_the_microscopes_rate(
    tcp_url: str, long: bool, report: Callable[..., None]
) -> None:
    count = round((STEADY_LONG_S if long else STEADY_S) / STEADY_PERIOD_S)
    with (
        program(
            "source.py", url=tcp_url, stream=str(uuid4()), side=SIDE_PX, first=0,
            last=count - 1, period_s=STEADY_PERIOD_S, waits=True,
            retention_bytes=2**25,
        ) as source,
        program("consumer.py", url=tcp_url, rest_s=0) as consumer,
    ):  # fmt: skip
        assert source.stdout is not None
        assert source.stdout.readline() == "bound\n"
        lines = said(consumer)
        seqs, settled, last = [], [], []
        for line in lines:
            if line == "end":
                break
            seqs.append(int(line))
            # By then whatever is bounded by bytes is full.
            if len(seqs) == count // 2:
                settled = [taken(consumer), taken(source)]
            if len(seqs) == count - 1:
                last = [taken(consumer), taken(source)]
    growth_mb = [now.mb - then.mb for now, then in zip(last, settled, strict=True)]
    report(
        frames=count,
        growth_mb=[round(mb, 1) for mb in growth_mb],
        mb=[round(now.mb) for now in last],
        descriptors=[now.descriptors for now in last],
        threads=[now.threads for now in last],
    )
    assert seqs == list(range(count))
    assert max(growth_mb) <= (FLAT_LONG_MB if long else FLAT_MB)
    for then, now in zip(settled, last, strict=True):
        assert (now.descriptors, now.threads) == (then.descriptors, then.threads)
