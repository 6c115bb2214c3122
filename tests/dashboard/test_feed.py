"""Feeds with what they are for: real sockets, real session folders."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zmq

from dashboard.alert_rules import AlertRules
from dashboard.hub import Hub
from dashboard.live_feed import LiveFeed
from dashboard.recall import Recall
from dashboard.session_feed import SessionFeed
from dashboard.snapshot import LinkState, Reach
from dashboard.status import status
from dashboard.view import View
from streamer.analysis import Analysis
from streamer.errors import LinkError, SessionError
from streamer.frame import Frame
from streamer.messages import SUPERSEDED
from streamer.publisher import Publisher
from streamer.service_state import Recorded, ServiceState
from streamer.session.analyst import AnalysisRecorder
from streamer.session.recorder import FrameRecorder

type Movie = Callable[[int], Analysis]

WITHIN_S = 20.0
CHANNEL = "simulator · HAADF"


@pytest.fixture
def hub() -> Hub:
    return Hub("here", time.monotonic)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with (
        zmq.Context() as context,
        Publisher(context, "tcp://127.0.0.1:0", heartbeat_s=0.1) as publisher,
    ):
        yield publisher


def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether `condition` holds within a while."""
    deadline_s = time.monotonic() + WITHIN_S
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return condition()


def shown(hub: Hub) -> list[int]:
    channel = hub.snapshot.channels.get(CHANNEL)
    return [] if channel is None else channel.history.records["seq"].tolist()


def record(folder: Path, analysis: Analysis) -> None:
    """Commit a frame and what was found in it."""
    size = analysis.shape
    frame = Frame(
        analysis.stream,
        analysis.seq,
        np.zeros(size, np.float32),
        analysis.pixel_size_nm,
    )
    with FrameRecorder(folder) as frames:
        frames.commit_frame(frame, received_ns=0)
    with AnalysisRecorder(folder) as analyses:
        analyses.commit_analysis(analysis)


def test_a_live_feed_shows_what_is_published(
    hub: Hub, publisher: Publisher, movie: Movie
) -> None:
    with LiveFeed(hub, [publisher.url]):
        assert publisher.wait_for_subscriber(WITHIN_S)
        publisher.send(movie(0))
        publisher.send(movie(1))
        assert comes_true(lambda: shown(hub) == [0, 1])
        assert hub.snapshot.link.state is LinkState.RECEIVING
        publisher.end(movie(0).stream)
        assert comes_true(lambda: hub.snapshot.channels[CHANNEL].ended)


def test_a_dashboard_that_comes_late_is_told_what_came_before(
    hub: Hub, publisher: Publisher, movie: Movie
) -> None:
    for seq in range(3):
        publisher.send(movie(seq))
    with LiveFeed(hub, [publisher.url]):
        assert comes_true(lambda: shown(hub) == [0, 1, 2])


@pytest.mark.parametrize("clock_off_s", [-3600, 0, 3600], ids="{} s".format)
def test_what_came_before_a_late_dashboard_is_as_old_as_it_is(
    hub: Hub, movie: Movie, clock_off_s: int
) -> None:
    """Also where the clock of the service's computer is wrong."""
    off_s = [clock_off_s]

    def age_s() -> float:
        return hub.clock() - hub.snapshot.channels[CHANNEL].published_s

    with (
        zmq.Context() as context,
        Publisher(
            context,
            "tcp://127.0.0.1:0",
            heartbeat_s=0.1,
            wall_ns=lambda: time.time_ns() + off_s[0] * 10**9,
        ) as publisher,
    ):
        publisher.send(movie(0))
        earlier = Hub(publisher.url, time.monotonic)
        with LiveFeed(earlier, [publisher.url]):
            assert comes_true(lambda: shown(earlier) == [0])
        off_s[0] += 600  # it was sent ten minutes ago
        with LiveFeed(hub, [publisher.url]):
            assert comes_true(lambda: shown(hub) == [0])
            assert 599 < age_s() < 660
            publisher.send(movie(1))
            assert comes_true(lambda: shown(hub) == [0, 1])
            assert 0 <= age_s() < 60


def test_a_service_that_is_not_heard_any_more_is_missed(hub: Hub) -> None:
    with zmq.Context() as context, ExitStack() as feeding:
        with Publisher(context, "tcp://127.0.0.1:0", heartbeat_s=0.1) as publisher:
            feeding.enter_context(LiveFeed(hub, [publisher.url]))
            assert comes_true(lambda: hub.snapshot.link.state is LinkState.RECEIVING)
        assert comes_true(lambda: hub.snapshot.link.state is LinkState.SILENT)
        assert hub.snapshot.link.words == publisher.url


def test_a_service_that_dies_between_two_runs_is_missed(hub: Hub, movie: Movie) -> None:
    state = ServiceState("today", 1, 1, 0, 0, Recorded.YES)

    def words(name: str) -> str:
        return status(View(), hub.snapshot).texts[name]

    with zmq.Context() as context, ExitStack() as feeding:
        with Publisher(
            context, "tcp://127.0.0.1:0", heartbeat_s=0.1, state=lambda: state
        ) as publisher:
            feeding.enter_context(LiveFeed(hub, [publisher.url]))
            assert publisher.wait_for_subscriber(WITHIN_S)
            publisher.send(movie(0))
            publisher.end(movie(0).stream)
            assert comes_true(lambda: words("mode") == "ENDED")
            assert comes_true(lambda: words("recording") == "recording")
        assert comes_true(lambda: words("recording") == "unknown: nothing heard")
    assert (words("mode"), words("link")) == ("SILENT", "nothing heard")


def test_a_flood_of_what_is_no_message_does_not_fill_the_log(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    with zmq.Context() as context, context.socket(zmq.XPUB) as source:
        port = source.bind_to_random_port("tcp://127.0.0.1")
        with LiveFeed(hub, [f"tcp://127.0.0.1:{port}"]):
            assert source.poll(WITHIN_S * 1000)  # it has subscribed
            for _ in range(100):
                source.send_multipart([b"analysis/a/b", b"{", b""])
            assert comes_true(lambda: "64 messages from" in caplog.text)
            source.send_multipart([b"analysis/a/b", b"{", b""])
    said = [each for each in caplog.messages if "thrown away" in each]
    assert len(said) == 7
    assert "was thrown away" in said[0]


def test_an_address_that_is_none_is_refused_at_once(hub: Hub) -> None:
    with pytest.raises(LinkError, match="nowhere"):
        LiveFeed(hub, ["nowhere"])


def test_a_session_is_shown_and_followed_while_it_grows(
    hub: Hub, movie: Movie, tmp_path: Path
) -> None:
    record(tmp_path / "run", movie(0))
    with SessionFeed(hub, tmp_path / "run"):
        assert comes_true(lambda: hub.snapshot.link.state is LinkState.RECORDED)
        assert shown(hub) == [0]
        record(tmp_path / "run", movie(1))
        assert comes_true(lambda: shown(hub) == [0, 1])
        assert comes_true(lambda: hub.snapshot.link.state is LinkState.RECEIVING)


def test_a_session_says_itself_how_it_stands(
    hub: Hub, movie: Movie, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    record(folder, movie(0))

    def state() -> ServiceState:
        return hub.snapshot.services[str(folder)]

    with SessionFeed(hub, folder):
        assert comes_true(lambda: bool(hub.snapshot.services))
        said = state()
        assert (said.session, said.committed, said.waiting) == ("run", 1, 0)
        assert said.recorded is Recorded.OFF
        assert said.free_bytes is not None
        record(folder, movie(1))
        assert comes_true(lambda: state().committed == 2)
        assert comes_true(lambda: state().recorded is Recorded.YES)


def test_a_live_feed_shows_how_the_service_stands_and_misses_its_frames(
    movie: Movie,
) -> None:
    states: list[ServiceState | None] = [
        ServiceState("today", 1, 1, 11, 0, Recorded.YES),
        ServiceState("today", 1, 1, 0, 0, Recorded.YES),
        None,
    ]
    rules = AlertRules(no_frame_for_s=0.5, backlog_above_frames=10)
    hub = Hub("here", time.monotonic, rules=rules)

    def standing() -> set[str]:
        return {alert.rule for alert in hub.snapshot.alerts}

    with (
        zmq.Context() as context,
        Publisher(
            context, "tcp://127.0.0.1:0", heartbeat_s=0.1, state=lambda: states[0]
        ) as publisher,
        LiveFeed(hub, [publisher.url]),
    ):
        assert publisher.wait_for_subscriber(WITHIN_S)
        publisher.send(movie(0))
        # Of the missing frames the clock tells: nothing more is sent.
        both = {"backlog_above_frames", "no_frame_for_s"}
        assert comes_true(lambda: standing() == both)
        states.pop(0)
        assert comes_true(lambda: standing() == {"no_frame_for_s"})
        assert hub.snapshot.services[publisher.url].waiting == 0
        states.pop(0)
        assert comes_true(lambda: not hub.snapshot.services)


def test_a_session_that_has_ended_counts_its_gaps(
    hub: Hub, movie: Movie, tmp_path: Path
) -> None:
    record(tmp_path, movie(0))
    with FrameRecorder(tmp_path) as recorder:
        recorder.commit_gap(movie(0).stream, 1, 4, "gone", noticed_ns=0)
        # A partial frame that was out of date is missed by nobody.
        recorder.commit_gap(movie(0).stream, 5, 9, SUPERSEDED, noticed_ns=0)
        recorder.commit_end(movie(0).stream, 10)
    with SessionFeed(hub, tmp_path):
        assert comes_true(lambda: hub.snapshot.link.state is LinkState.RECORDED)
    assert hub.snapshot.channels[CHANNEL].ended
    assert hub.snapshot.lost == {movie(0).stream.id: 4}


@pytest.mark.parametrize(
    ("damaged", "expected"), [(1, [0, 1, 2]), (2, [0, 1])], ids=["one", "the newest"]
)
def test_a_damaged_frame_is_counted_as_lost_and_the_others_are_shown(
    hub: Hub, movie: Movie, tmp_path: Path, damaged: int, expected: list[int]
) -> None:
    """What the index says of it is shown all the same, but for the newest."""
    for seq in range(3):
        record(tmp_path, movie(seq))
    table = sorted((tmp_path / "atoms").rglob("*.parquet"))[damaged]
    table.write_bytes(table.read_bytes()[:-1])
    with SessionFeed(hub, tmp_path):
        assert comes_true(lambda: hub.snapshot.link.state is LinkState.RECORDED)
        assert comes_true(lambda: hub.snapshot.progress is None)
    assert shown(hub) == expected
    assert hub.snapshot.lost == {movie(0).stream.id: 1}


def histograms(hub: Hub) -> np.ndarray:
    return hub.snapshot.channels[CHANNEL].history.records["histograms"]


def test_in_the_end_all_frames_of_a_session_are_counted_as_if_they_had_come_live(
    hub: Hub, movie: Movie, tmp_path: Path
) -> None:
    live = Hub("there", time.monotonic)
    for seq in (4, 0, 1, 2, 3):
        record(tmp_path, movie(20 * seq))
        live.add(movie(20 * seq))
    with SessionFeed(hub, tmp_path):
        assert comes_true(lambda: hub.snapshot.link.state is LinkState.RECORDED)
        assert shown(hub) == [0, 20, 40, 60, 80]
        assert comes_true(lambda: hub.snapshot.progress is None)
    history, other = (each.snapshot.channels[CHANNEL].history for each in (hub, live))
    assert history.bins == other.bins
    assert (histograms(hub) == histograms(live)).all()
    assert [scene.seq for scene in history.scenes] == [80], "pictures stay on disk"


def test_of_several_runs_of_a_channel_the_last_is_shown(
    hub: Hub, movie: Movie, tmp_path: Path
) -> None:
    for seq in range(3):
        record(tmp_path, movie(seq))
    second = replace(movie(7), stream=replace(movie(7).stream, id="second"))
    record(tmp_path, second)
    with SessionFeed(hub, tmp_path):
        assert comes_true(lambda: hub.snapshot.link.state is LinkState.RECORDED)
    assert shown(hub) == [7]


def test_a_dashboard_that_comes_very_late_has_the_oldest_frames_from_the_session(
    hub: Hub, publisher: Publisher, movie: Movie, tmp_path: Path
) -> None:
    """Those that the publisher has not kept, which here are two."""
    folder = tmp_path / "run"
    with LiveFeed(hub, [publisher.url]), Recall(hub, folder):
        assert publisher.wait_for_subscriber(WITHIN_S)
        publisher.send(movie(2))
        assert comes_true(lambda: shown(hub) == [2])
        for seq in range(3):
            record(folder, movie(seq))
        assert comes_true(lambda: shown(hub) == [0, 1, 2])
        assert comes_true(lambda: hub.snapshot.progress is None)
        channel = hub.snapshot.channels[CHANNEL]
    assert channel.on_disk == Reach(0, 2)
    counts = channel.history.records["histograms"].sum(axis=(1, 2))
    assert counts.tolist() == [4 * len(movie(seq).atoms) for seq in range(3)]


def test_a_session_whose_folder_goes_away_is_missed(
    hub: Hub, movie: Movie, tmp_path: Path
) -> None:
    record(tmp_path / "run", movie(0))
    with SessionFeed(hub, tmp_path / "run"):
        assert comes_true(lambda: shown(hub) == [0])
        shutil.rmtree(tmp_path / "run")
        assert comes_true(lambda: hub.snapshot.link.state is LinkState.FAILED)
    assert "gone" in hub.snapshot.link.words


def test_a_late_analysis_of_an_earlier_frame_is_not_overlooked(
    hub: Hub, movie: Movie, tmp_path: Path
) -> None:
    record(tmp_path, movie(1))
    with SessionFeed(hub, tmp_path):
        assert comes_true(lambda: shown(hub) == [1])
        record(tmp_path, movie(0))
        assert comes_true(lambda: shown(hub) == [0, 1])


def test_a_folder_that_is_no_session_is_refused_at_once(
    hub: Hub, tmp_path: Path
) -> None:
    with pytest.raises(SessionError):
        SessionFeed(hub, tmp_path / "nothing here")


def test_a_feed_that_fails_says_so_on_the_page(
    hub: Hub, movie: Movie, tmp_path: Path
) -> None:
    record(tmp_path, movie(0))
    with SessionFeed(hub, tmp_path):
        assert comes_true(lambda: shown(hub) == [0])
        (tmp_path / "session.sqlite").write_bytes(b"no index at all" * 1000)
        assert comes_true(lambda: hub.snapshot.link.state is LinkState.FAILED)
