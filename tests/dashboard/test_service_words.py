# ruff: noqa: RUF001  the signs that the page writes
"""What the page says of services."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashboard.history import record_dtype
from dashboard.hub import Hub
from dashboard.service_words import Said, frame_interval_s, long, service_words, size
from dashboard.snapshot import LinkState
from streamer.analysis import Analysis
from streamer.service_state import Recorded, ServiceState

type Movie = Callable[[int], Analysis]

URL = "tcp://127.0.0.1:5557"
WELL = ServiceState("today", 44, 43, 3, 0, Recorded.YES, None, 812 * 10**9, 313_000.0)


@pytest.fixture
def hub() -> Hub:
    hub = Hub(URL, lambda: 0.0)
    hub.set_link(LinkState.RECEIVING)
    return hub


def said(hub: Hub) -> dict[str, str]:
    return {name: each.text for name, each in service_words(hub.snapshot, None).items()}


def test_a_service_that_records(hub: Hub) -> None:
    hub.report(URL, WELL)
    assert said(hub) == {
        "recording": "recording",
        "disk": ", 812 GB free, room for about 30 days at this rate",
        "backlog": "3 frames wait",
        "aside": "",
        "session": "today",
        "pace": "–",
    }


def test_a_service_of_which_nothing_is_known(hub: Hub) -> None:
    assert set(said(hub).values()) == {"–", ""}


def test_a_service_that_cannot_record(hub: Hub) -> None:
    hub.report("tcp://well:1", WELL)
    hub.report(URL, replace(WELL, recorded=Recorded.NO, reason="no space", aside=2))
    words = service_words(hub.snapshot, None)
    assert words["recording"] == Said("NOT RECORDING", "bad")
    assert said(hub)["backlog"] == "6 frames wait"
    assert said(hub)["aside"] == ", 2 frames set aside"


def test_a_recording_says_that_it_is_one(hub: Hub) -> None:
    hub.report(URL, replace(WELL, recorded=Recorded.OFF, waiting=0))
    assert said(hub)["recording"] == "off: this is a recording"
    assert said(hub)["disk"] == ", 812 GB free"
    assert said(hub)["backlog"] == "none"


def test_what_a_silent_service_said_last_is_not_said_any_more(hub: Hub) -> None:
    hub.report(URL, WELL)
    hub.set_link(LinkState.SILENT, URL)
    assert said(hub)["recording"] == said(hub)["backlog"] == "unknown: nothing heard"
    assert said(hub)["disk"] == ""


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [(0, "0 GB"), (3.2e9, "3.2 GB"), (81e9, "81 GB"), (812e9, "812 GB"),
     (1.5e12, "1.5 TB"), (120e12, "120 TB")],
)  # fmt: skip
def test_sizes(nbytes: float, text: str) -> None:
    assert size(nbytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 minute"), (120, "2 minutes"), (7199, "120 minutes"), (7200, "2 hours"),
     (47 * 3600, "47 hours"), (48 * 3600, "2 days"), (30 * 86400, "30 days"),
     (1e12, "ten years or more")],
)  # fmt: skip
def test_times_of_which_the_size_matters(seconds: float, text: str) -> None:
    assert long(seconds) == text


@pytest.mark.parametrize(
    ("seqs", "times_s", "interval_s"),
    [
        ([0], [0.0], np.nan),
        ([0, 1, 2], [0.0, 33.5, 67.0], 33.5),
        ([0, 3, 4], [0.0, 100.5, 134.0], 33.5),
        ([0, 1], [np.nan, np.nan], np.nan),
        # A break in the middle is not how long a frame takes.
        ([0, 1, 2, 3], [0.0, 30.0, 3600.0, 3630.0], 30.0),
    ],
)
def test_the_time_of_a_frame_is_measured(
    seqs: list[int], times_s: list[float], interval_s: float
) -> None:
    records = np.zeros(len(seqs), record_dtype(1))
    records["seq"], records["time_s"] = seqs, times_s
    assert frame_interval_s(records) == pytest.approx(interval_s, nan_ok=True)
