"""A service that was away gets what was scanned meanwhile, or knows what it misses."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atomstream.ports import free_address
from atomstream_bridge.bridge import Bridge
from streamer.errors import SessionError
from streamer.session.reader import SessionReader
from streamer.session.records import StreamRecord, Totals

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
def service(program: Callable[..., Any], session: Path) -> Service:
    """Start a service that records what a bridge sends."""

    def start(bridge: Bridge) -> Any:
        return program(
            "serve", "--connect", bridge.state().url, "--record", session,
            "--publish", free_address(), "--threads", "1", "--no-refine",
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
