"""Whoever subscribes, and whatever becomes of them, the scan is sent whole to the rest.

What they cost Nion's acquisition thread is measured by `tests.nion.measure_handler`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from atomstream.ports import free_address
from atomstream_bridge.bridge import Bridge

SUBSCRIBE = Path(__file__).parent / "programs" / "subscribe.py"
FRAMES = 20
STARTED_S = 60.0

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def subscriber() -> Iterator[Callable[[str, str], None]]:
    """Start one of a kind, in a process of its own, and any that come after it."""
    started: list[subprocess.Popen[bytes]] = []

    def start(url: str, kind: str) -> None:
        command = [sys.executable, str(SUBSCRIBE), url, kind]
        started.append(subprocess.Popen(command, start_new_session=True))

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("kind", ["hangs", "dies"])
def test_one_that_hangs_or_dies_costs_nobody_a_frame(
    scan: Any,
    bridge: Callable[..., Bridge],
    receive: Callable[[Bridge], Any],
    subscriber: Callable[[str, str], None],
    wait_for: Callable[[Callable[[], bool], float], None],
    sample: Any,
    kind: str,
) -> None:
    started = bridge()
    publisher = started._outlet._publisher  # type: ignore[union-attr] # it is on
    subscriber(started.state().url, kind)
    wait_for(lambda: publisher.statistics().joined == 1, STARTED_S)
    received = receive(started)
    scan.start_playing()
    received.until(lambda: len(received.frames()) >= FRAMES)
    if kind == "dies":
        # More than one came, and was killed by its first frame.
        received.until(lambda: publisher.statistics().joined >= 4)
    scan.stop_playing(sync_timeout=20)
    received.until(lambda: bool(received.ended()))
    frames = received.frames()
    assert [sample.index(frame.image) for frame in frames] == list(range(len(frames)))
    assert len(frames) == len(sample.drawn)
    counters = started.state().counters
    assert (counters.dropped, counters.failed) == (0, 0)


def test_with_nobody_there_nothing_waits_and_nothing_is_dropped(
    scan: Any,
    bridge: Callable[..., Bridge],
    wait_for: Callable[[Callable[[], bool], float], None],
    sample: Any,
) -> None:
    started = bridge()
    scan.start_playing()
    wait_for(lambda: started.state().counters.sent >= FRAMES, STARTED_S)
    scan.stop_playing(sync_timeout=20)
    wait_for(lambda: started.state().counters.sent == len(sample.drawn), STARTED_S)
    counters = started.state().counters
    assert (counters.waiting, counters.dropped, counters.failed) == (0, 0, 0)


def test_one_that_hangs_does_not_hold_up_the_window_in_which_a_setting_is_changed(
    scan: Any,
    bridge: Callable[..., Bridge],
    receive: Callable[[Bridge], Any],
    subscriber: Callable[[str, str], None],
    wait_for: Callable[[Callable[[], bool], float], None],
) -> None:
    """Its queues are full; what it does not take is given up elsewhere."""
    port = free_address()
    parameters = scan.get_current_frame_parameters()
    parameters.pixel_size, parameters.pixel_time_us = (1024, 1024), 0.1
    scan.set_current_frame_parameters(parameters)
    started = bridge(address=port)
    publisher = started._outlet._publisher  # type: ignore[union-attr] # it is on
    subscriber(started.state().url, "hangs")
    wait_for(lambda: publisher.statistics().joined == 1, STARTED_S)
    scan.start_playing()
    wait_for(lambda: started.state().counters.sent >= FRAMES, STARTED_S)
    began_s = time.monotonic()
    started.apply(replace(started.settings, retention_mib=64))
    took_s = time.monotonic() - began_s
    assert took_s < 0.8
    wait_for(lambda: started.state().url == port, STARTED_S)
    received = receive(started)
    received.until(lambda: bool(received.frames()))
    assert started.state().problem == ""
