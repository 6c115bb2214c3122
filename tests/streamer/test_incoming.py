"""Sources of different kinds are one, and none holds up another."""

import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import zmq
from karabo_bridge import ServerInThread

from atomstream.ports import free_address
from streamer.errors import LinkError, SecurityError
from streamer.events import Ended, Received
from streamer.frame import Frame, Stream
from streamer.incoming import open_incoming
from streamer.karabo.receiver import KaraboReceiver
from streamer.keys import KeyFolder
from streamer.messages import Content, Feed
from streamer.publisher import Publisher
from streamer.security import CurveClient
from streamer.subscriber import Subscriber

type Context = zmq.Context[zmq.Socket[bytes]]


def test_a_publisher_and_a_bridge_are_received_together(
    context: Context, frame: Callable[..., Frame], stream: Stream
) -> None:
    ours, bridge = free_address(), free_address()
    server = ServerInThread(bridge)
    server.start()
    counts: Counter[str] = Counter()
    with (
        Publisher(context, ours) as publisher,
        open_incoming(context, [f"karabo+{bridge}", ours], security={}) as incoming,
    ):
        for seq in range(5):
            publisher.send(frame(stream, seq))
            image = np.full((4, 5), seq, np.float32)
            stamp = {"timestamp.tid": seq + 1}
            server.feed({"STEM": {"image": image}}, {"STEM": stamp})
        publisher.end(stream)
        ended: list[Ended] = []
        deadline = time.monotonic() + 30
        while not ended or counts["STEM"] < 5:
            assert time.monotonic() < deadline, (counts, ended)
            match incoming.receive(0.1):
                case Received(message=message):
                    counts[message.stream.source] += 1
                    newest = message.stream
                    assert incoming.gives_again(newest) == (newest == stream)
                case Ended() as event:
                    ended.append(event)
        assert incoming.rewind(Feed(Content.FRAME, stream), 3)
        again = incoming.receive(10)
        assert isinstance(again, Received)
        assert again.message.seq == 3
    # It said good-bye: the publisher need not wait.
    assert counts == {"STEM": 5, stream.source: 5}
    server.stop()


def test_what_comes_is_not_waited_for_by_the_clock(
    context: Context, frame: Callable[..., Frame], stream: Stream
) -> None:
    ours = free_address()
    urls = [ours, f"karabo+{free_address()}", f"karabo+{free_address()}"]
    took_s = []
    with (
        Publisher(context, ours) as publisher,
        open_incoming(context, urls, security={}) as incoming,
    ):
        assert publisher.wait_for_subscriber(20)
        for seq in range(20):
            before_s = time.monotonic()
            publisher.send(frame(stream, seq))
            while not isinstance(incoming.receive(5), Received):
                pass
            took_s.append(time.monotonic() - before_s)
    assert sorted(took_s)[len(took_s) // 2] < 0.1


def test_one_source_is_received_as_such(context: Context) -> None:
    for url, kind in (
        (free_address(), Subscriber),
        (f"karabo+{free_address()}", KaraboReceiver),
    ):
        with open_incoming(context, [url], security={}) as incoming:
            assert isinstance(incoming, kind)


def test_when_one_cannot_be_none_is_left_open(context: Context) -> None:
    good, bad = f"karabo+{free_address()}", "tcp://127.0.0.1:*"
    with pytest.raises(LinkError):
        open_incoming(context, [good, bad], security={})
    context.term()  # which would wait for a socket that is open


def test_a_bridge_has_no_keys(
    context: Context, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = f"karabo+{free_address()}"
    client = CurveClient(KeyFolder(tmp_path_factory.mktemp("keys")), None)
    with pytest.raises(SecurityError, match="no keys"):
        open_incoming(context, [url], security={url: client})
