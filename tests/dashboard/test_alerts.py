"""Alerts of a hub: when they stand, what is logged, what is counted."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from dashboard.alert import Severity
from dashboard.alert_rules import AlertRules
from dashboard.alert_words import alert_lines
from dashboard.hub import Hub
from dashboard.snapshot import LinkState
from streamer.analysis import Analysis
from streamer.frame import Stream
from streamer.service_state import Recorded, ServiceState

type Movie = Callable[[int], Analysis]

URL = "tcp://127.0.0.1:5557"
FULL = "NOT RECORDING: no space left"
WELL = ServiceState("today", 5, 5, 0, 0, Recorded.YES, None, 812 * 10**9)


@dataclass
class Desk:
    """A hub whose time is set by the test."""

    rules: AlertRules
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.hub = Hub(
            URL,
            lambda: self.now_s,
            rules=self.rules,
            wall_s=lambda: 1_700_000_000 + self.now_s,
        )
        self.hub.set_link(LinkState.RECEIVING)

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds
        self.hub.look()

    def show(self, movie: Movie, *orders: float) -> None:
        """Frames of these mean crystallinities, a second apart."""
        for order in orders:
            channels = self.hub.snapshot.channels.values()
            seq = next((c.history.newest.seq + 1 for c in channels), 0)
            summary = replace(movie(0).summary, mean_crystallinity=order)
            self.now_s += 1
            self.hub.add(replace(movie(0), seq=seq, summary=summary))

    def standing(self) -> list[str]:
        return [alert.rule for alert in self.hub.snapshot.alerts]

    def words(self) -> list[str]:
        return [line["words"] for line in alert_lines(self.hub.snapshot)]


@pytest.fixture
def desk() -> Desk:
    return Desk(AlertRules(crystallinity_below=0.5, frames_in_a_row=2))


def test_an_alert_stands_from_its_beginning_to_its_end(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie, 0.9, 0.4)
    assert desk.standing() == []
    desk.show(movie, 0.41)
    (alert,) = desk.hub.snapshot.alerts
    assert (alert.rule, alert.severity) == ("crystallinity_below", Severity.BAD)
    assert (alert.seq, alert.stream_id) == (1, movie(0).stream.id)
    assert alert.began_s == 1_700_000_003
    desk.show(movie, 0.38)
    assert desk.words() == ["mean crystallinity 0.38, below 0.5, since frame 1"]
    desk.show(movie, 0.6)
    assert desk.words() == ["mean crystallinity 0.38, below 0.5, since frame 1"]
    desk.show(movie, 0.6)
    assert desk.standing() == []


def test_what_comes_anew_is_another_alert(desk: Desk, movie: Movie) -> None:
    ids = set()
    for orders in ((0.4, 0.4), (0.9, 0.9), (0.4, 0.4), (0.4, 0.4)):
        desk.show(movie, *orders)
        ids |= {alert.id for alert in desk.hub.snapshot.alerts}
    assert len(ids) == 2
    assert desk.hub.snapshot.alerts_begun == {"crystallinity_below": 2}


def test_beginning_and_end_are_logged_once_each(
    desk: Desk, movie: Movie, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "dashboard"):
        desk.show(movie, 0.9, 0.4, 0.4, 0.4, 0.4)
        desk.pass_s(1)
        desk.show(movie, 0.9, 0.9, 0.9)
    assert caplog.messages == [
        "alert: mean crystallinity 0.4, below 0.5, since frame 1",
        "over: mean crystallinity 0.4, below 0.5, since frame 1",
    ]


def test_frames_that_stop_are_missed_by_the_clock_alone(
    desk: Desk, movie: Movie
) -> None:
    desk.pass_s(1000)
    assert desk.standing() == [], "none has come yet"
    desk.show(movie, 0.9)
    desk.pass_s(67)
    assert desk.standing() == []
    desk.pass_s(1)
    (alert,) = desk.hub.snapshot.alerts
    assert (alert.words, alert.seq) == ("no data for more than 67 s", 0)
    before = desk.hub.snapshot
    desk.pass_s(1)
    assert desk.hub.snapshot is before, "pages are not sent what they have"
    desk.show(movie, 0.9)
    assert desk.standing() == []


@pytest.mark.parametrize("end", ["ended", "recorded", "another run"])
def test_frames_that_cannot_come_are_not_missed(
    desk: Desk, movie: Movie, end: str
) -> None:
    desk.show(movie, 0.9)
    desk.pass_s(100)
    assert desk.standing() == ["no_frame_for_s"]
    match end:
        case "ended":
            desk.hub.end(movie(0).stream)
        case "recorded":
            desk.hub.set_link(LinkState.RECORDED)
        case _:
            new_run = Stream("another", movie(0).stream.source, "HAADF")
            desk.hub.add(replace(movie(0), stream=new_run))
    assert desk.standing() == []


def test_a_feed_that_has_failed_is_alerted_of(desk: Desk) -> None:
    desk.hub.set_link(LinkState.FAILED, "the index\nis gone")
    assert desk.words() == ["this page is fed no more: the index is gone"]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([{"waiting": 10}], []),
        ([{"waiting": 11}], ["backlog_above_frames"]),
        ([{"waiting": 11}, {"waiting": 6}], ["backlog_above_frames"]),
        ([{"waiting": 11}, {"waiting": 5}], []),
        ([{"free_bytes": 10 * 10**9}], []),
        ([{"free_bytes": 9 * 10**9}], ["disk_below_gb"]),
        ([{"free_bytes": 9 * 10**9}, {"free_bytes": 10.9e9}], ["disk_below_gb"]),
        ([{"free_bytes": 9 * 10**9}, {"free_bytes": 11 * 10**9}], []),
        ([{"free_bytes": 9 * 10**9}, {"free_bytes": None}], []),
        ([{"recorded": Recorded.NO, "reason": FULL}], ["not_recording"]),
        ([{"recorded": Recorded.NO, "reason": FULL}, {}], []),
        ([{"recorded": Recorded.NO, "reason": FULL}, None], []),
        ([{"recorded": Recorded.OFF, "waiting": 99, "free_bytes": 0}], []),
    ],
)
def test_services_are_judged_by_what_they_say(
    desk: Desk, states: list[dict[str, object] | None], expected: list[str]
) -> None:
    for changes in states:
        state = None if changes is None else replace(WELL, **changes)
        desk.hub.report(URL, state)
    assert desk.standing() == expected


def test_a_number_that_is_back_within_bounds_is_not_said_to_be_outside(
    desk: Desk,
) -> None:
    desk.hub.report(URL, replace(WELL, waiting=12))
    desk.hub.report(URL, replace(WELL, waiting=8))
    assert desk.words() == ["frames are late: 12 wait, above 10"]


def test_a_notice_stands_until_it_is_over(desk: Desk) -> None:
    desk.hub.warn(URL, "the beam is off")
    desk.hub.warn("tcp://other:1", "so is\x1b[31m mine")
    assert set(desk.words()) == {"the beam is off", "so is [31m mine"}
    desk.hub.warn("tcp://other:1", None)
    assert desk.words() == ["the beam is off"]
    desk.hub.warn(URL, None)
    assert desk.words() == []


def test_what_a_service_says_twice_is_one_alert_throughout(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    other = "NOT RECORDING: read-only"
    for reason in (FULL, other, None):
        recorded = Recorded.YES if reason is None else Recorded.NO
        # Both come in one heartbeat, one after the other.
        desk.hub.report(URL, replace(WELL, recorded=recorded, reason=reason))
        desk.hub.warn(URL, reason)
    assert caplog.messages == [f"alert: {FULL}", f"over: {other}"]


def test_of_several_streams_or_services_it_is_said_which(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie, 0.9)
    desk.hub.add(replace(movie(0), stream=Stream("other", "simulator", "MAADF")))
    desk.pass_s(68)
    assert set(desk.words()) == {
        f"simulator · {channel}: no data for more than 67 s, since frame 0"
        for channel in ("HAADF", "MAADF")
    }
    desk.pass_s(1)
    desk.hub.report(URL, WELL)
    desk.hub.report("tcp://other:1", replace(WELL, waiting=11))
    assert desk.words()[0] == "tcp://other:1: frames are late: 11 wait, above 10"


def test_the_newest_stands_first(desk: Desk, movie: Movie) -> None:
    desk.hub.report(URL, replace(WELL, waiting=12))
    desk.show(movie, 0.4, 0.4)
    desk.pass_s(100)
    assert desk.standing() == [
        "no_frame_for_s", "crystallinity_below", "backlog_above_frames",
    ]  # fmt: skip
