"""A service that was away gets what was scanned meanwhile, or knows what it misses."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq

from atomstream.ports import free_address
from atomstream_bridge.bridge import Bridge
from atomstream_bridge.runs import SCANNING
from streamer.errors import SessionError
from streamer.events import Ended, Gap
from streamer.messages import SUPERSEDED
from streamer.session.reader import SessionReader
from streamer.session.records import StreamRecord, Totals
from streamer.subscriber import Subscriber

type Start = Callable[..., Bridge]
type Service = Callable[[Bridge], Any]
type Wait = Callable[[Callable[[], bool], float], None]

PATIENCE_S = 90.0
FRAME_MIB = 256 * 256 * 4 / 2**20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return tmp_path / "session"


@pytest.fixture
def published() -> str:
    """Where analyses can be had."""
    return free_address()


@pytest.fixture
def service(program: Callable[..., Any], session: Path, published: str) -> Service:
    """Start a service that records what a bridge sends."""

    def start(bridge: Bridge) -> Any:
        return program(
            "serve", "--connect", bridge.state().url, "--record", session,
            "--publish", published, "--threads", "1", "--no-refine",
        )  # fmt: skip

    return start


def tune(scan: Any, side: int, pixel_time_us: float) -> None:
    parameters = scan.get_current_frame_parameters()
    parameters.pixel_size = (side, side)
    parameters.pixel_time_us = pixel_time_us
    scan.set_current_frame_parameters(parameters)


def records(session: Path) -> list[StreamRecord]:
    try:
        with SessionReader(session) as reader:
            return reader.streams()
    except SessionError:
        return []


def whole(session: Path) -> list[StreamRecord]:
    """The streams of whole frames, which are the other ones' first."""
    return [
        record for record in records(session)
        if not record.stream.channel.endswith(SCANNING)
    ]  # fmt: skip


def gaps_of(url: str, streams: int) -> list[Gap]:
    """What a viewer who comes last is told that he cannot have of the analyses."""
    gaps: list[Gap] = []
    ended = 0
    with zmq.Context() as context, Subscriber(context, [url]) as subscriber:
        while ended < streams:
            event = subscriber.receive(PATIENCE_S)
            assert event is not None, f"{ended} of {streams} streams have ended"
            ended += isinstance(event, Ended)
            gaps += [event] if isinstance(event, Gap) else []
    return gaps


def is_over(session: Path) -> bool:
    """Whether each stream has ended, and each frame of it is there or lost."""
    with SessionReader(session) as reader:
        lost = sum(gap.last - gap.first + 1 for gap in reader.gaps())
        streams = reader.streams()
    totals = [record.total for record in streams]
    frames = sum(record.frames for record in streams)
    return None not in totals and frames + lost == sum(filter(None, totals))


def images(
    session: Path, record: StreamRecord
) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    with SessionReader(session) as reader:
        for frame in reader.frames(record.stream.id):
            yield frame.seq, reader.frame(record.stream.id, frame.seq).image


def test_no_frame_is_lost_while_the_service_is_away(
    scan: Any,
    bridge: Start,
    service: Service,
    session: Path,
    sample: Any,
    totals: Callable[[Path], Totals],
    wait_for: Wait,
    long: bool,
    report: Callable[..., None],
) -> None:
    """With `--long` for ten minutes, of two channels of 1024² pixels every 33 s."""
    side, pixel_time_us, away_s = (1024, 31.5, 600.0) if long else (32, 20.0, 10.0)
    tune(scan, side, pixel_time_us)
    scan.set_channel_enabled(1, True)
    started = bridge()
    serving = service(started)
    scan.start_playing()
    wait_for(lambda: totals(session).frames >= 2, PATIENCE_S)
    serving.kill_all()
    left_s, before = time.monotonic(), started.state().counters.sent
    wait_for(lambda: time.monotonic() - left_s > away_s, 2 * away_s)
    missed = started.state().counters.sent - before
    kept_mib = started.state().counters.kept_bytes / 2**20
    serving.start()
    # The scan goes on while the service catches up.
    wait_for(lambda: totals(session).frames >= missed, PATIENCE_S)
    scan.stop_playing(sync_timeout=60)
    wait_for(lambda: is_over(session), PATIENCE_S)
    order = {image.tobytes(): number for number, image in enumerate(sample.drawn)}
    got = [
        [(seq, order.get(image.tobytes())) for seq, image in images(session, record)]
        for record in records(session)
    ]
    frames = sum(map(len, got))
    report(
        away_s=away_s, missed=missed, frames=frames, scanned=len(sample.drawn),
        kept_mib=round(kept_mib, 1), lost=totals(session).lost,
    )  # fmt: skip
    assert missed >= (2 * 17 if long else 50)
    assert totals(session).lost == 0
    # The two channels are drawn in turn.
    half = range(len(sample.drawn) // 2)
    assert got == [[(n, 2 * n + channel) for n in half] for channel in (0, 1)]


def test_frames_that_are_being_scanned_take_no_room_from_whole_ones(
    scan: Any,
    bridge: Start,
    service: Service,
    session: Path,
    sample: Any,
    totals: Callable[[Path], Totals],
    wait_for: Wait,
    long: bool,
    report: Callable[..., None],
    published: str,
) -> None:
    """With `--long` as above, and what is being scanned every 2 s.

    Of that far more is sent than is kept; what was out of date is no loss, neither of
    the session nor to those who show its analyses.
    """
    side, pixel_time_us, away_s = (1024, 31.5, 600.0) if long else (128, 30.0, 15.0)
    every_s, room_mib = (2.0, 1024) if long else (0.1, 12)
    tune(scan, side, pixel_time_us)
    scan.set_channel_enabled(1, True)
    started = bridge(partial_every_s=every_s, retention_mib=room_mib)
    serving = service(started)
    scan.start_playing()
    wait_for(lambda: len(whole(session)) == 2, PATIENCE_S)
    serving.kill_all()
    left_s, before = time.monotonic(), len(sample.drawn)
    sent_before = started.state().counters.sent
    wait_for(lambda: time.monotonic() - left_s > away_s, 2 * away_s)
    missed = len(sample.drawn) - before
    sent_mib = (started.state().counters.sent - sent_before) * side**2 * 4 / 2**20
    kept_mib = started.state().counters.kept_bytes / 2**20
    serving.start()
    wait_for(lambda: sum(each.frames for each in whole(session)) > missed, PATIENCE_S)
    scan.stop_playing(sync_timeout=60)
    wait_for(lambda: is_over(session), PATIENCE_S)
    order = {image.tobytes(): number for number, image in enumerate(sample.drawn)}
    got = [
        [(seq, order.get(image.tobytes())) for seq, image in images(session, record)]
        for record in whole(session)
    ]
    with SessionReader(session) as reader:
        gaps = reader.gaps()
    report(
        away_s=away_s, missed=missed, whole=sum(map(len, got)),
        scanned=len(sample.drawn), sent_mib=round(sent_mib), kept_mib=round(kept_mib),
        superseded=sum(gap.last - gap.first + 1 for gap in gaps),
        lost=totals(session).lost,
    )  # fmt: skip
    half = range(len(sample.drawn) // 2)
    assert got == [[(n, 2 * n + channel) for n in half] for channel in (0, 1)]
    assert sent_mib > room_mib
    assert {gap.reason for gap in gaps} == {SUPERSEDED}
    assert totals(session).lost == 0
    assert "passed over" in serving.said()
    assert "lost" not in serving.said()
    assert [gap for gap in gaps_of(published, streams=4) if gap.is_loss] == []


def test_what_does_not_fit_is_named_as_lost_and_the_newest_is_there(
    scan: Any,
    bridge: Start,
    service: Service,
    session: Path,
    sample: Any,
    totals: Callable[[Path], Totals],
    wait_for: Wait,
) -> None:
    kept = 4
    tune(scan, 256, 2.0)
    started = bridge(retention_mib=round(kept * FRAME_MIB) + 1)
    serving = service(started)
    scan.start_playing()
    wait_for(lambda: totals(session).frames >= 2, PATIENCE_S)
    serving.kill_all()
    before = started.state().counters.sent
    wait_for(lambda: started.state().counters.sent >= before + 20, PATIENCE_S)
    scan.stop_playing(sync_timeout=60)
    serving.start()
    wait_for(lambda: bool(records(session)) and is_over(session), PATIENCE_S)
    (record,) = records(session)
    got = dict(images(session, record))
    with SessionReader(session) as reader:
        gaps = reader.gaps()
    lost = [seq for gap in gaps for seq in range(gap.first, gap.last + 1)]
    assert record.total == len(sample.drawn)
    assert sorted([*got, *lost]) == list(range(record.total))
    assert len(lost) >= 20 - 2 * kept
    assert all("no longer keeps it" in gap.reason for gap in gaps)
    assert list(got)[-kept:] == list(range(record.total - kept, record.total))
    for seq, image in got.items():
        assert image.tobytes() == sample.drawn[seq].tobytes()
    assert "lost" in serving.said()
