"""Who has no allowed key gets nothing, and who has one gets everything."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import zmq

from atomstream.ports import free_address
from streamer.endpoint import Address, open_socket
from streamer.events import Ended, Gap, Received
from streamer.frame import Frame, Stream
from streamer.key_changes import allow, make_keys, revoke
from streamer.keys import KeyFolder
from streamer.messages import Content, Feed, Request
from streamer.publisher import Publisher
from streamer.security import Connecting, CurveClient, CurveServer, Plain
from streamer.subscriber import Subscriber
from streamer.wire import pack, unpack

FRAMES = 200
PATIENCE_S = 60.0
AFTERWARDS_S = 2.0
"""Those who got nothing go on trying for so long when all is sent."""

type Context = zmq.Context[zmq.Socket[bytes]]
type Report = Callable[..., None]
type NewKeys = Callable[[str], KeyFolder]

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def context() -> Iterator[Context]:
    context = zmq.Context()
    yield context
    context.term()


@pytest.fixture
def new_keys(tmp_path: Path) -> NewKeys:
    def make(name: str) -> KeyFolder:
        folder = KeyFolder(tmp_path / name)
        make_keys(folder)
        return folder

    return make


@dataclass
class Intruder:
    """Knows the protocol and the stream, and stands at both doors of a publisher."""

    live: zmq.Socket[bytes]
    asked: zmq.Socket[bytes]
    messages: int = 0
    sent_ns: list[int] = field(default_factory=list)
    """When each frame that came was sent."""

    @classmethod
    def at(cls, context: Context, url: str, security: Connecting) -> "Intruder":
        address = Address.parse(url)
        live, asked = (
            open_socket(
                context, kind, where, security=security, queue=1000, message_bytes=-1
            )
            for kind, where in (
                (zmq.SUB, address),
                (zmq.DEALER, address.catch_up()),
            )
        )
        live.subscribe("")
        live.connect(address.url)
        asked.connect(address.catch_up().url)
        return cls(live, asked)

    def __enter__(self) -> "Intruder":
        return self

    def __exit__(self, *reason: object) -> None:
        self.live.close(0)
        self.asked.close(0)

    def try_everything(self, stream: Stream) -> None:
        """Ask for the whole stream, and take what comes."""
        request = Request(Feed(Content.FRAME, stream), 0, FRAMES - 1)
        with suppress(zmq.Again):
            self.asked.send_multipart(pack(request, 0), zmq.NOBLOCK)
        for socket in (self.live, self.asked):
            with suppress(zmq.Again):
                while True:
                    envelope = unpack(socket.recv_multipart(zmq.NOBLOCK))
                    self.messages += 1
                    if isinstance(envelope.message, Frame):
                        self.sent_ns.append(envelope.sent_ns)


@dataclass
class Collected:
    """Everything that a subscriber was handed."""

    subscriber: Subscriber
    events: list[object] = field(default_factory=list)

    def take(self, wait_s: float = 0.02) -> None:
        event = self.subscriber.receive(wait_s)
        if event is not None:
            self.events.append(event)

    def all(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def seqs(self) -> list[int]:
        return [event.message.seq for event in self.all(Received)]


def until(holds: Callable[[], bool], meanwhile: Callable[[], object]) -> None:
    """Wait until a condition holds, which it must."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        meanwhile()


def for_a_while(meanwhile: Callable[[], object]) -> None:
    """Give those who must get nothing time to get something."""
    deadline = time.monotonic() + AFTERWARDS_S
    while time.monotonic() < deadline:
        meanwhile()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Callable[[KeyFolder], str]]:
    """Replays 200 frames in a process of its own, with keys; its address."""
    started: list[subprocess.Popen[str]] = []

    def start(keys: KeyFolder) -> str:
        stack, url = tmp_path / "stack.npy", free_address()
        np.save(stack, np.random.default_rng(1).random((FRAMES, 16, 16), np.float32))
        arguments = (
            "replay", str(stack), "--pixel-size", "0.02", "--bind", url,
            "--period", "0.02", "--secure", "--keys", str(keys.path),
        )  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "atomstream", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert any(url in line for line in process.stdout)
        return url

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_only_the_allowed_key_gets_frames_of_a_running_source(
    context: Context,
    new_keys: NewKeys,
    source: Callable[[KeyFolder], str],
    report: Report,
) -> None:
    microscope, friend, stranger, dismissed = map(
        new_keys, ("microscope", "friend", "stranger", "dismissed")
    )
    old = microscope.public()
    allow(microscope, "friend", friend.public())
    allow(microscope, "dismissed", dismissed.public())
    make_keys(microscope, renew=True)
    ours = microscope.public()
    url = source(microscope)
    peers = {
        "plain": Plain(),
        "unknown key": CurveClient(stranger, ours),
        "wrong server key": CurveClient(friend, stranger.public()),
        "old server key": CurveClient(friend, old),
        "revoked": CurveClient(dismissed, ours),
        "allowed": CurveClient(friend, ours),
    }
    with ExitStack() as stack:
        security = {url: CurveClient(friend, ours)}
        friendly = Collected(
            stack.enter_context(Subscriber(context, [url], security=security))
        )
        at_doors = {
            name: stack.enter_context(Intruder.at(context, url, security))
            for name, security in peers.items()
        }

        def everybody() -> None:
            friendly.take()
            for received in friendly.all(Received)[:1]:
                for peer in at_doors.values():
                    peer.try_everything(received.message.stream)

        revoked = at_doors["revoked"]
        until(lambda: bool(revoked.sent_ns), everybody)
        revoke(microscope, "dismissed")
        revoked_ns = time.time_ns()
        at_doors["revoked, and here again"] = stack.enter_context(
            Intruder.at(context, url, peers["revoked"])
        )
        until(lambda: bool(friendly.all(Ended)), everybody)
        for_a_while(everybody)
        allowed = at_doors.pop("allowed")
        got = {name: peer.messages for name, peer in at_doors.items()}
        got["revoked"] = sum(sent > revoked_ns for sent in revoked.sent_ns)
    report(sent=FRAMES, allowed=len(friendly.seqs), intruders=got)
    assert friendly.seqs == list(range(FRAMES))
    assert set(got.values()) == {0}
    assert len(allowed.sent_ns) >= FRAMES
    assert max(allowed.sent_ns) > revoked_ns


@dataclass
class Source:
    """A publisher with keys in this process, and what it sends."""

    publisher: Publisher
    stream: Stream
    sent: int = 0

    def send(self, count: int) -> None:
        for seq in range(self.sent, self.sent + count):
            image = np.full((8, 8), seq, np.float32)
            self.publisher.send(Frame(self.stream, seq, image))
        self.sent += count


@pytest.fixture
def guarded(context: Context) -> Iterator[Callable[[KeyFolder], Source]]:
    with ExitStack() as stack:

        def start(keys: KeyFolder) -> Source:
            publisher = Publisher(context, free_address(), security=CurveServer(keys))
            stack.callback(publisher.close, 0)
            return Source(publisher, Stream(str(uuid4()), "microscope", "HAADF"))

        yield start


@pytest.mark.parametrize("change", ["revoked", "renewed"])
def test_what_is_sent_after_a_change_of_keys_goes_to_none_it_shuts_out(
    context: Context,
    new_keys: NewKeys,
    guarded: Callable[[KeyFolder], Source],
    change: str,
    report: Report,
) -> None:
    ours, friend, other = map(new_keys, ("ours", "friend", "other"))
    for name, keys in (("friend", friend), ("other", other)):
        allow(ours, name, keys.public())
    source = guarded(ours)
    url = source.publisher.url
    # The first knows its publisher by its folder, as a page of the same service does.
    stays = {url: CurveClient(ours if change == "renewed" else friend, None)}
    if change == "revoked":
        stays = {url: CurveClient(friend, ours.public())}
    goes = CurveClient(other, ours.public())
    with (
        Subscriber(context, [url], security=stays) as first,
        Subscriber(context, [url], security={url: goes}) as second,
        Intruder.at(context, url, goes) as at_doors,
    ):
        staying, going = Collected(first), Collected(second)

        def everybody() -> None:
            staying.take()
            going.take()
            at_doors.try_everything(source.stream)

        source.send(50)
        until(
            lambda: (
                len(staying.seqs) == len(going.seqs) == 50
                and len(at_doors.sent_ns) >= 50
            ),
            everybody,
        )
        if change == "revoked":
            revoke(ours, "other")
        else:
            make_keys(ours, renew=True)
        changed_ns = time.time_ns()
        source.send(FRAMES - 50)
        source.publisher.end(source.stream)
        until(lambda: bool(staying.all(Ended)), everybody)
        for_a_while(everybody)
    late = sum(sent > changed_ns for sent in at_doors.sent_ns)
    after = {change: len(going.seqs) - 50, "at both doors": late}
    report(sent=FRAMES, allowed=len(staying.seqs), after_the_change=after)
    assert staying.seqs == list(range(FRAMES))
    assert staying.all(Gap) == []
    assert going.seqs == list(range(50))
    assert late == 0


def test_who_is_allowed_again_gets_what_was_missed_meanwhile(
    context: Context, new_keys: NewKeys, guarded: Callable[[KeyFolder], Source]
) -> None:
    ours, friend = map(new_keys, ("ours", "friend"))
    allow(ours, "friend", friend.public())
    source = guarded(ours)
    url = source.publisher.url
    security = {url: CurveClient(friend, ours.public())}
    with Subscriber(context, [url], security=security) as subscriber:
        collected = Collected(subscriber)
        source.send(10)
        until(lambda: len(collected.seqs) == 10, collected.take)
        revoke(ours, "friend")
        source.send(10)
        until(lambda: source.publisher.statistics().refused > 0, collected.take)
        assert len(collected.seqs) == 10
        allow(ours, "friend", friend.public())
        source.send(10)
        until(lambda: len(collected.seqs) == 30, collected.take)
    assert collected.seqs == list(range(30))


@pytest.mark.parametrize("rogue", ["plain", "with keys of its own", "the real one"])
def test_a_rogue_publisher_is_not_listened_to(
    context: Context, new_keys: NewKeys, rogue: str
) -> None:
    expected, mine, evil = map(new_keys, ("expected", "mine", "evil"))
    for folder in (expected, evil):
        allow(folder, "victim", mine.public())
    bound = {
        "plain": Plain(),
        "with keys of its own": CurveServer(evil),
        "the real one": CurveServer(expected),
    }[rogue]
    with Publisher(context, free_address(), security=bound) as publisher:
        source = Source(publisher, Stream(str(uuid4()), "microscope", "HAADF"))
        url = publisher.url
        security = {url: CurveClient(mine, expected.public())}
        with Subscriber(context, [url], security=security) as subscriber:
            collected = Collected(subscriber)
            source.send(FRAMES)
            if rogue == "the real one":
                until(lambda: len(collected.seqs) == FRAMES, collected.take)
            else:
                for_a_while(collected.take)
    assert len(collected.seqs) == (FRAMES if rogue == "the real one" else 0)
