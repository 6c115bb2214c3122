"""A disk that fills up while frames come, and has room again later."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import zmq
from karabo_bridge import ServerInThread

from atomstream.ports import free_address
from atomstream.service.recording import Recording
from dashboard.hub import Hub
from dashboard.live_feed import LiveFeed
from streamer.events import Received
from streamer.frame import Frame, Stream
from streamer.incoming import open_incoming
from streamer.publisher import Publisher
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder
from streamer.session.records import Totals
from streamer.session.spool import Spool
from streamer.session.verify import verify
from streamer.subscriber import Subscriber

type Start = Callable[..., Any]
type Disk = Any
type Report = Callable[..., None]
type Wait = Callable[[Callable[[], bool], float], None]
type Count = Callable[[Path], Totals]
FRAMES = 60
FULL_AT, FREE_AT = 10, 40
SIZE_PX = 128
PATIENCE_S = 90.0
ALARM_S = 2.0


def images_of(frames: int, size_px: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    rng = np.random.default_rng(frames)
    return rng.poisson(4, (frames, size_px, size_px)).astype(np.float32)


@pytest.mark.timeout(600)
def test_the_live_view_goes_on_and_recording_resumes_by_itself(
    tmp_path: Path,
    disk: Disk,
    program: Start,
    report: Report,
    wait_for: Wait,
    totals: Count,
    long: bool,
) -> None:
    images = images_of(FRAMES, SIZE_PX)
    np.save(tmp_path / "stack.npy", images)
    source, analyses, session = free_address(), free_address(), disk.folder / "session"
    hub = Hub(analyses, time.monotonic)
    with LiveFeed(hub, [analyses]):
        service = program(
            "serve", "--connect", source, "--record", session, "--publish", analyses,
            "--until-end", "--threads", "1",
        )  # fmt: skip
        wait_for(lambda: "publishing at" in service.said(), PATIENCE_S)
        program(
            "replay", tmp_path / "stack.npy", "--bind", source,
            "--period", "0.3", "--pixel-size", "0.02",
        )  # fmt: skip
        wait_for(lambda: totals(session).analyses >= FULL_AT, PATIENCE_S)
        disk.fill()
        wait_for(lambda: "NOT RECORDING" in alarm(hub), PATIENCE_S)
        alarmed_ns, recorded = time.time_ns(), totals(session).frames
        wait_for(lambda: shown(hub) >= FREE_AT, PATIENCE_S)
        assert totals(session).frames == recorded
        assert "No space left" in alarm(hub)
        assert "NOT RECORDING" in service.said()
        disk.free()
        freed_s = time.monotonic()
        wait_for(lambda: totals(session).frames >= FREE_AT, PATIENCE_S)
        resumed_s = time.monotonic() - freed_s
        wait_for(lambda: not alarm(hub), PATIENCE_S)
        assert service.process.wait(PATIENCE_S) == 0, service.said()
        assert shown(hub) == FRAMES
    with SessionReader(session) as reader:
        (record,) = reader.streams()
        gaps, events = reader.gaps(), reader.events()
        equal = [
            np.array_equal(reader.frame(record.stream.id, seq).image, images[seq])
            for seq in range(FRAMES)
        ]
    (refused_ns, *_) = [each.time_ns for each in events if each.kind == "not recording"]
    alarm_s = (alarmed_ns - refused_ns) * 1e-9
    report(
        frames=FRAMES, frames_shown_not_recorded=FREE_AT - recorded, lost=len(gaps),
        alarm_s=round(alarm_s, 2), resumed_s=round(resumed_s, 2), equal=sum(equal),
    )  # fmt: skip
    assert all(equal)
    assert gaps == []
    assert (record.analyses, record.total) == (FRAMES, FRAMES)
    assert {"not recording", "recording"} <= {each.kind for each in events}
    assert verify(session).whole
    assert alarm_s <= (ALARM_S if long else PATIENCE_S)
    assert not Spool.of(session).folder.exists()


def alarm(hub: Hub) -> str:
    return " · ".join(
        alert.words
        for alert in hub.snapshot.alerts
        if alert.rule in ("not_recording", "notice")
    )


def shown(hub: Hub) -> int:
    channels = hub.snapshot.channels.values()
    return sum(len(channel.history.records) for channel in channels)


def test_processes_killed_while_the_disk_is_full_come_back_and_nothing_is_lost(
    tmp_path: Path,
    disk: Disk,
    program: Start,
    wait_for: Wait,
    totals: Count,
    process_with: Callable[[Path, str], int | None],
    kill: Callable[[int | None], None],
) -> None:
    images = images_of(30, SIZE_PX)
    np.save(tmp_path / "stack.npy", images)
    source, session = free_address(), disk.folder / "session"
    service = program(
        "serve", "--connect", source, "--record", session,
        "--publish", free_address(), "--until-end", "--threads", "1",
    )  # fmt: skip
    wait_for(lambda: "publishing at" in service.said(), PATIENCE_S)
    program(
        "replay", tmp_path / "stack.npy", "--bind", source,
        "--period", "0.3", "--pixel-size", "0.02",
    )  # fmt: skip
    spool = Spool.of(session)
    wait_for(lambda: totals(session).analyses >= 5, PATIENCE_S)
    disk.fill()
    wait_for(lambda: len(spool.frames()) >= 3, PATIENCE_S)
    for role in ("recorder", "analyser"):
        before = len(spool.frames())
        kill(process_with(session, role))
        wait_for(lambda before=before: len(spool.frames()) > before + 2, PATIENCE_S)
    assert service.process.poll() is None
    disk.free()
    assert service.process.wait(PATIENCE_S) == 0, service.said()
    with SessionReader(session) as reader:
        (record,) = reader.streams()
        assert reader.gaps() == []
        assert (record.frames, record.analyses, record.total) == (30, 30, 30)
        for seq in range(30):
            frame = reader.frame(record.stream.id, seq)
            np.testing.assert_array_equal(frame.image, images[seq])


@dataclass
class Source:
    """A publisher, and a recording of what it sends, within the test."""

    publisher: Publisher
    recording: Recording
    stream: Stream
    sent: int = 0

    def send(self, frames: int) -> None:
        """Send some frames, and let each be recorded before the next."""
        for seq in range(self.sent, self.sent + frames):
            image = np.full((SIZE_PX, SIZE_PX), seq, np.float32)
            self.publisher.send(Frame(self.stream, seq, image))
            self.sent += 1
            self.turn(0.02)

    def turn(self, seconds: float) -> None:
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            event = self.recording.incoming.receive(0.01)
            if event is not None:
                self.recording.take(event)
            self.recording.look()

    def until(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + 40
        while not condition():
            assert time.monotonic() < deadline_s
            self.turn(0.05)


@pytest.fixture(params=[512 * 2**20, 3 * 2**16], ids=["keeps all", "keeps few"])
def source(
    request: pytest.FixtureRequest, disk: Disk, tmp_path: Path
) -> Iterator[Source]:
    session = disk.folder / "session"
    stream = Stream(str(uuid4()), "SuperScan", "HAADF")
    with (
        FrameRecorder(session) as recorder,
        SessionReader(session) as reader,
        zmq.Context() as context,
        Publisher(
            context, "tcp://127.0.0.1:0", retention_bytes=request.param
        ) as publisher,
        Subscriber(context, [publisher.url]) as subscriber,
    ):
        spool = Spool(tmp_path / "spool", max_bytes=8 * (SIZE_PX**2 * 4 + 1000))
        recording = Recording(recorder, reader, subscriber, spool)
        assert publisher.wait_for_subscriber(20)
        yield Source(publisher, recording, stream)


def test_what_finds_no_room_in_memory_is_asked_for_again_or_is_a_gap_with_its_cause(
    source: Source, request: pytest.FixtureRequest, disk: Disk
) -> None:
    session, stream_id = source.recording.session, source.stream.id
    source.send(5)
    source.until(lambda: session.next_seq(stream_id) == 5)
    disk.fill()
    source.send(30)
    source.publisher.end(source.stream)
    source.turn(1)
    spooled = [each.key.seq for each in source.recording.spool.frames()]
    assert spooled == list(range(35 - len(spooled), 35))
    assert 5 <= len(spooled) <= 8
    disk.free()
    source.until(lambda: session.streams()[0].total == 35)
    seqs = [record.seq for record in session.frames(stream_id)]
    lost = [seq for gap in session.gaps() for seq in range(gap.first, gap.last + 1)]
    assert sorted(seqs + lost) == list(range(35))
    assert verify(session.folder).whole
    if "keeps all" in request.node.name:
        assert lost == []
    else:
        assert lost == list(range(5, spooled[0]))
        (gap,) = session.gaps()
        assert "while the disk took nothing" in gap.reason
        assert "no longer keeps it" in gap.reason
    for seq in seqs:
        assert (session.frame(stream_id, seq).image == seq).all()


def test_what_a_bridge_cannot_send_again_is_a_gap_at_once(
    disk: Disk, tmp_path: Path
) -> None:
    session, url = disk.folder / "session", free_address()
    server = ServerInThread(url)
    server.start()
    with (
        FrameRecorder(session) as recorder,
        SessionReader(session) as reader,
        zmq.Context() as context,
        open_incoming(context, [f"karabo+{url}"], security={}) as incoming,
    ):
        spool = Spool(tmp_path / "spool", max_bytes=8 * (SIZE_PX**2 * 4 + 1000))
        recording = Recording(recorder, reader, incoming, spool, (f"karabo+{url}",))
        source = Fed(server, recording)
        source.send(5)
        stream = reader.streams()[0].stream
        disk.fill()
        source.send(30)
        assert reader.next_seq(stream.id) == 5
        disk.free()
        freed_s = time.monotonic()
        while reader.next_seq(stream.id) < 35:
            recording.look()
            assert time.monotonic() - freed_s < 10
        source.send(5)
        seqs = [record.seq for record in reader.frames(stream.id)]
        (gap,) = reader.gaps()
        assert sorted([*seqs, *range(gap.first, gap.last + 1)]) == list(range(40))
        assert gap.first == 5
        assert "while the disk took nothing" in gap.reason
        for seq in seqs:
            assert (reader.frame(stream.id, seq).image == seq).all()
        assert verify(session).whole
    server.stop()


@dataclass
class Fed:
    """A bridge of karabo's own, and a recording of what it sends."""

    server: ServerInThread
    recording: Recording
    sent: int = 0

    def send(self, trains: int) -> None:
        """Send some, and let each be taken before the next."""
        for seq in range(self.sent, self.sent + trains):
            image = np.full((SIZE_PX, SIZE_PX), seq, np.float32)
            self.server.feed(
                {"STEM": {"image": image}}, {"STEM": {"timestamp.tid": seq}}
            )
            event = None
            deadline_s = time.monotonic() + 40
            while not isinstance(event, Received):
                assert time.monotonic() < deadline_s
                if event := self.recording.incoming.receive(0.1):
                    self.recording.take(event)
                self.recording.look()
            self.sent += 1
