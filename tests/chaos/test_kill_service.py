"""The service and its processes, killed again and again while frames come."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.session.reader import SessionReader
from streamer.session.records import Totals
from streamer.session.verify import verify

type Attach = Callable[..., Any]
type Noise = Callable[[int], np.ndarray[Any, np.dtype[np.float32]]]
type Report = Callable[..., None]
type Wait = Callable[[Callable[[], bool], float], None]
type Count = Callable[[Path], Totals]
type ProcessWith = Callable[[Path, str], int | None]
PATIENCE_S = 90.0
"""On a machine that does much else."""
BACK_S = 3.0
"""Asserted with `--long`, which wants a machine of its own."""


@pytest.mark.timeout(3600)
def test_a_service_killed_again_and_again_keeps_every_frame_once(
    attached: Attach,
    noise_of: Noise,
    long: bool,
    report: Report,
    wait_for: Wait,
    totals: Count,
) -> None:
    frames, kills = (10_000, 20) if long else (1_000, 5)
    images = noise_of(frames)
    running = attached(images, 0.005, "--until-end")
    service, session = running.service, running.session
    moment = random.Random(7)
    for kill in range(kills):
        aim = (kill + 1) * frames // (kills + 1)
        wait_for(lambda aim=aim: totals(session).frames >= aim, PATIENCE_S)
        time.sleep(moment.uniform(0, 0.3))  # the moment is what is random
        # With and without what it has started: those left alone must let go.
        moment.choice([service.kill, service.kill_all])()
        service.start()
    assert service.process.wait(PATIENCE_S + frames * 0.1) == 0, service.said()
    with SessionReader(session) as reader:
        (record,) = reader.streams()
        seqs = [each.seq for each in reader.frames(record.stream.id)]
        analyses = [each.frame.seq for each in reader.analyses(record.stream.id)]
        equal = [
            np.array_equal(reader.frame(record.stream.id, seq).image, images[seq])
            for seq in seqs
        ]
        gaps = reader.gaps()
    report(
        frames=frames, kills=kills, lost=frames - len(set(seqs)), gaps=len(gaps),
        doubled=len(seqs) - len(set(seqs)), in_order=seqs == sorted(seqs),
        equal=sum(equal), analyses=len(set(analyses)),
    )  # fmt: skip
    assert seqs == list(range(frames))
    assert all(equal)
    assert gaps == []
    assert Counter(analyses) == Counter(range(frames))
    assert verify(session).whole


@pytest.mark.timeout(3600)
def test_a_killed_analysis_comes_back_and_each_frame_has_one(
    attached: Attach,
    noise_of: Noise,
    long: bool,
    report: Report,
    wait_for: Wait,
    totals: Count,
    process_with: ProcessWith,
) -> None:
    kills = 20 if long else 3
    frames = 100 * kills
    running = attached(noise_of(frames), 0.05, "--until-end")
    service, session = running.service, running.session
    moment = random.Random(3)
    back_s = []
    for kill in range(kills):
        wait_for(lambda kill=kill: totals(session).analyses > 80 * kill, PATIENCE_S)
        time.sleep(moment.uniform(0, 0.5))  # the moment is what is random
        victim = process_with(session, "analyser")
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        killed_s, done = time.monotonic(), totals(session).analyses
        wait_for(lambda done=done: totals(session).analyses > done, PATIENCE_S)
        back_s.append(time.monotonic() - killed_s)
        assert process_with(session, "analyser") != victim
    assert service.process.wait(PATIENCE_S + frames * 0.1) == 0, service.said()
    with SessionReader(session) as reader:
        (record,) = reader.streams()
        analyses = [each.frame.seq for each in reader.analyses(record.stream.id)]
        aside = reader.set_aside()
    report(
        frames=frames, kills=kills, analyses=len(analyses), set_aside=len(aside),
        back_s_max=round(max(back_s), 2), back_s_median=round(np.median(back_s), 2),
        cpu_count=os.cpu_count(), load=round(os.getloadavg()[0], 1),
    )  # fmt: skip
    assert analyses == list(range(frames))
    assert aside == []
    assert max(back_s) <= (BACK_S if long else PATIENCE_S)
