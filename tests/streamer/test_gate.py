"""Who gets in at a publisher with keys, also when something about them is wrong."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Event as Signal

import pytest
import zmq

from streamer.endpoint import Address
from streamer.errors import LinkError, SecurityError
from streamer.events import Event, Gap, Heard, Hindered, Received, Silent
from streamer.frame import Frame, Stream
from streamer.gate import Gate
from streamer.handshake import BROKEN_OFF, NOT_ALLOWED, OTHERWISE_PROTECTED
from streamer.key_changes import allow, make_keys, revoke
from streamer.keys import KeyFolder
from streamer.messages import Content, Feed, Request
from streamer.publisher import Publisher
from streamer.security import CurveClient, CurveServer, Plain
from streamer.subscriber import Subscriber
from streamer.wire import pack

Context = zmq.Context[zmq.Socket[bytes]]
Listen = Callable[[Subscriber, type[Event]], list[Event]]
Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def new_keys(tmp_path: Path) -> Callable[[str], KeyFolder]:
    def make(name: str) -> KeyFolder:
        folder = KeyFolder(tmp_path / name)
        make_keys(folder)
        return folder

    return make


type NewKeys = Callable[[str], KeyFolder]


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True), ("127.8.9.10", True), ("[::1]", True),
        ("localhost", True),
        ("*", False), ("0.0.0.0", False), ("[::]", False), ("192.168.1.5", False),
        ("lab-pc", False), ("localhost.org", False), ("127.0.0.1.nip.io", False),
        ("127.1", False), ("eth0", False), ("128.0.0.1", False),
    ],
)  # fmt: skip
def test_what_only_programs_of_this_computer_can_reach(
    host: str, is_local: bool
) -> None:
    assert Address.parse(f"tcp://{host}:5555").is_local is is_local


def test_a_file_is_of_this_computer() -> None:
    assert Address.parse("ipc:///tmp/live").is_local


@pytest.mark.parametrize("url", ["tcp://0.0.0.0:0", "tcp://*:*", "tcp://[::]:0"])
def test_a_publisher_without_keys_stays_on_this_computer(
    context: Context, url: str
) -> None:
    with pytest.raises(SecurityError, match="reaches beyond this computer"):
        Publisher(context, url)
    Publisher(context, url, security=Plain(anywhere=True)).close()


def test_a_subscriber_without_keys_stays_on_this_computer(context: Context) -> None:
    url = "tcp://192.0.2.1:5555"
    with pytest.raises(SecurityError, match="reaches beyond this computer"):
        Subscriber(context, [url])
    anywhere = {url: Plain(anywhere=True)}
    Subscriber(context, [url], security=anywhere).close()


def test_the_owner_of_the_keys_need_not_be_allowed(
    context: Context, new_keys: NewKeys, url: str, listen: Listen
) -> None:
    ours = new_keys("ours")
    with (
        Publisher(context, url, security=CurveServer(ours)),
        Subscriber(context, [url], security={url: CurveClient(ours, None)}) as page,
    ):
        listen(page, Heard)


@pytest.mark.parametrize(
    ("security", "reason"),
    [
        ("unknown key", NOT_ALLOWED),
        ("wrong server key", BROKEN_OFF),
        ("plain", OTHERWISE_PROTECTED),
    ],
)
def test_who_is_not_let_in_is_told_why(
    context: Context,
    new_keys: NewKeys,
    tcp_url: str,
    listen: Listen,
    security: str,
    reason: str,
) -> None:
    ours, stranger = new_keys("ours"), new_keys("stranger")
    how = {
        "unknown key": CurveClient(stranger, ours.public()),
        "wrong server key": CurveClient(ours, stranger.public()),
        "plain": Plain(),
    }[security]
    with (
        Publisher(context, tcp_url, security=CurveServer(ours)),
        Subscriber(context, [tcp_url], security={tcp_url: how}) as subscriber,
    ):
        *_, silent = listen(subscriber, Silent)
    assert isinstance(silent, Silent)
    assert silent.reason == reason


@pytest.mark.parametrize("damage", ["deleted", "not text", "a folder"])
def test_a_list_that_cannot_be_read_lets_nobody_in(
    context: Context,
    new_keys: NewKeys,
    tcp_url: str,
    eventually: Eventually,
    damage: str,
) -> None:
    ours, friend = new_keys("ours"), new_keys("friend")
    allow(ours, "friend", friend.public())
    known = {tcp_url: CurveClient(friend, ours.public())}
    with (
        Publisher(context, tcp_url, security=CurveServer(ours)) as publisher,
        Subscriber(context, [tcp_url], security=known, name="friend") as subscriber,
    ):
        assert publisher.wait_for_subscriber(10)
        ours.allowed_file.unlink()
        if damage == "not text":
            ours.allowed_file.write_bytes(b"\xff\xfe")
        if damage == "a folder":
            ours.allowed_file.mkdir()
        eventually(lambda: publisher.statistics().subscribers == 0)
        eventually(
            lambda: (
                subscriber.receive(0.05) is None and publisher.statistics().refused > 0
            )
        )


def test_a_publisher_whose_private_key_is_gone_goes_on(
    context: Context, new_keys: NewKeys, tcp_url: str, listen: Listen
) -> None:
    ours, friend = new_keys("ours"), new_keys("friend")
    server = ours.public()
    with Publisher(context, tcp_url, security=CurveServer(ours)):
        ours.private_file.unlink()
        allow(ours, "friend", friend.public())
        known = {tcp_url: CurveClient(friend, server)}
        with Subscriber(context, [tcp_url], security=known) as subscriber:
            listen(subscriber, Heard)


def test_a_folder_that_cannot_be_entered_lets_nobody_in_and_the_source_goes_on(
    context: Context,
    new_keys: NewKeys,
    tcp_url: str,
    listen: Listen,
    eventually: Eventually,
    shut: Callable[[Path], None],
    stream: Stream,
    frame: Callable[..., Frame],
) -> None:
    ours, friend = new_keys("ours"), new_keys("friend")
    allow(ours, "friend", friend.public())
    known = {tcp_url: CurveClient(friend, ours.public())}
    with (
        Publisher(context, tcp_url, security=CurveServer(ours)) as publisher,
        Subscriber(context, [tcp_url], security=known, name="friend") as subscriber,
    ):
        assert publisher.wait_for_subscriber(10)
        shut(ours.path)
        eventually(lambda: publisher.statistics().subscribers == 0)
        publisher.send(frame(stream, 0))
        eventually(
            lambda: (
                subscriber.receive(0.05) is None and publisher.statistics().refused > 0
            )
        )
        ours.path.unlink()
        ours.path.with_name("shut away").rename(ours.path)
        received = listen(subscriber, Received)[-1]
    assert isinstance(received, Received)
    assert received.message.seq == 0


def test_a_subscriber_whose_keys_are_away_keeps_the_connection_that_it_has(
    context: Context,
    new_keys: NewKeys,
    tcp_url: str,
    listen: Listen,
    shut: Callable[[Path], None],
    hurry: Callable[[], float],
    stream: Stream,
    frame: Callable[..., Frame],
) -> None:
    ours, friend = new_keys("ours"), new_keys("friend")
    allow(ours, "friend", friend.public())
    known = {tcp_url: CurveClient(friend, ours.public())}
    with Subscriber(context, [tcp_url], security=known, clock=hurry) as subscriber:
        shut(friend.path)
        before = listen(subscriber, Hindered)
        with Publisher(context, tcp_url, security=CurveServer(ours)) as publisher:
            assert publisher.wait_for_subscriber(10)
            publisher.send(frame(stream, 0))
            after = listen(subscriber, Received)
    (hindered,) = (each for each in before + after if isinstance(each, Hindered))
    assert str(friend.private_file) in hindered.reason


def test_what_was_missed_is_asked_for_once_the_keys_are_back(
    context: Context,
    new_keys: NewKeys,
    tcp_url: str,
    listen: Listen,
    shut: Callable[[Path], None],
    stream: Stream,
    frame: Callable[..., Frame],
) -> None:
    ours, friend = new_keys("ours"), new_keys("friend")
    allow(ours, "friend", friend.public())
    known = {tcp_url: CurveClient(friend, ours.public())}
    with Publisher(context, tcp_url, security=CurveServer(ours)) as publisher:
        publisher.send(frame(stream, 0))
        with Subscriber(context, [tcp_url], security=known) as subscriber:
            shut(friend.path)
            events = listen(subscriber, Hindered)
            assert not any(isinstance(each, Received | Gap) for each in events)
            friend.path.unlink()
            friend.path.with_name("shut away").rename(friend.path)
            received = listen(subscriber, Received)[-1]
    assert isinstance(received, Received)
    assert received.message.seq == 0


def test_who_is_revoked_while_a_disk_is_read_gets_nothing_that_is_sent_after(
    context: Context,
    new_keys: NewKeys,
    tcp_url: str,
    new_stream: Callable[[], Stream],
    frame: Callable[..., Frame],
    eventually: Eventually,
) -> None:
    ours, friend, other = map(new_keys, ("ours", "friend", "other"))
    for name, keys in (("friend", friend), ("other", other)):
        allow(ours, name, keys.public())
    recorded, live = new_stream(), new_stream()
    is_revoked = Signal()
    reads = 0

    def recall(_: str, seq: int) -> Frame:
        """The others ask while the disk is read, for what is not there yet."""
        nonlocal reads
        reads += 1
        if not is_revoked.is_set():
            for client in others:
                client.send_multipart(pack(Request(Feed(Content.FRAME, live), 1, 1), 0))
        if reads == 20:
            revoke(ours, "other")
            publisher.send(frame(live, 1))
            is_revoked.set()
        return frame(recorded, seq)

    address = Address.parse(tcp_url).catch_up()
    with (
        ExitStack() as stack,
        Publisher(
            context, tcp_url, security=CurveServer(ours), recall=recall
        ) as publisher,
    ):
        publisher.announce(recorded, 1000)
        publisher.send(frame(live, 0))
        first, *others = (
            stack.enter_context(context.socket(zmq.DEALER)) for _ in range(31)
        )
        for client in (first, *others):
            client.linger = 0
            keys = friend if client is first else other
            CurveClient(keys, ours.public()).protect(client, address)
            client.connect(address.url)
            client.send_multipart(pack(Request(Feed(Content.FRAME, live), 0, 0), 0))
        for client in (first, *others):
            assert client.poll(10_000)
            client.recv_multipart()
        first.send_multipart(pack(Request(Feed(Content.FRAME, recorded), 0, 999), 0))
        assert is_revoked.wait(10)
        eventually(lambda: publisher.statistics().refused > 0)
        assert not any(client.poll(10) for client in others)


def test_where_nobody_answers_at_the_gate_nobody_gets_in(
    context: Context, new_keys: NewKeys
) -> None:
    ours = new_keys("ours")
    gate = Gate(context, ours)
    with context.socket(zmq.XPUB) as door, context.socket(zmq.SUB) as friend:
        door.linger = friend.linger = 0
        gate.protect(door, Address("127.0.0.1", 0))
        gate.close()
        port = door.bind_to_random_port("tcp://127.0.0.1")
        CurveClient(ours, None).protect(friend, Address("127.0.0.1", port))
        friend.subscribe("")
        friend.connect(f"tcp://127.0.0.1:{port}")
        assert not door.poll(1000)


def test_a_context_has_one_publisher_with_keys(
    context: Context, new_keys: NewKeys, tcp_url: str
) -> None:
    guarded = CurveServer(new_keys("ours"))
    with Publisher(context, "tcp://127.0.0.1:0", security=guarded):
        with pytest.raises(LinkError, match="a context of its own"):
            Publisher(context, tcp_url, security=guarded)
        Publisher(context, tcp_url).close()
    Publisher(context, tcp_url, security=guarded).close()


def test_many_changes_of_the_list_leave_no_descriptors(
    context: Context,
    new_keys: NewKeys,
    url: str,
    listen: Listen,
    wait_for: Callable[[Callable[[], bool]], None],
) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("this system does not list descriptors")
    ours = new_keys("ours")
    known = {url: CurveClient(ours, None)}

    def count() -> int:
        return len(list(descriptors.iterdir()))

    with Publisher(context, url, security=CurveServer(ours), heartbeat_s=0.1):
        for number in range(10):
            allow(ours, f"pc-{number}", bytes([number]) * 32)
            with Subscriber(context, [url], security=known) as subscriber:
                listen(subscriber, Heard)
            if number == 1:
                early = count()
        # ZeroMQ closes what is no longer used in a thread of its own.
        wait_for(lambda: count() <= early + 2)
