"""`doctor --nion` names what keeps frames from coming."""

import socket
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import zmq

from atomstream.checkup import Verdict
from atomstream.nion.checkup import examine_nion
from streamer.frame import Frame, Stream
from streamer.key_changes import make_keys
from streamer.keys import KeyFolder
from streamer.publisher import Publisher
from streamer.security import PLAIN, CurveServer

STREAM = Stream("s", "uSim Scan", "HAADF")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with zmq.Context() as context, Publisher(context, "tcp://127.0.0.1:*") as publisher:
        yield publisher


def send(publisher: Publisher, seq: int) -> None:
    publisher.send(Frame(STREAM, seq, np.ones((8, 8), np.float32)))


def found(url: str) -> tuple[Verdict, str]:
    finding = examine_nion(url, PLAIN)[-1]
    return finding.verdict, finding.found


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    verdict, text = found(url)
    assert verdict is Verdict.BAD
    assert f"nothing listens at {url}: is Nion Swift running" in text


def test_nothing_was_ever_scanned(publisher: Publisher) -> None:
    verdict, text = found(publisher.url)
    assert verdict is Verdict.POOR
    assert "nothing was scanned since it was switched on: start a scan" in text


def test_the_scan_is_over(publisher: Publisher) -> None:
    send(publisher, 0)
    publisher.end(STREAM)
    verdict, text = found(publisher.url)
    assert verdict is Verdict.POOR
    assert "nothing is scanned now; there was uSim Scan HAADF (1 frames)" in text


def test_a_long_frame_is_being_scanned(publisher: Publisher) -> None:
    send(publisher, 0)
    verdict, text = found(publisher.url)
    assert verdict is Verdict.POOR
    assert "takes half a minute" in text


def test_frames_come(publisher: Publisher) -> None:
    done = threading.Event()

    def scan() -> None:
        for seq in count():
            send(publisher, seq)
            if done.wait(0.1):
                return

    thread = threading.Thread(target=scan)
    thread.start()
    verdict, text = found(publisher.url)
    done.set()
    thread.join()
    assert verdict is Verdict.GOOD
    assert "new frames of uSim Scan HAADF" in text


def test_a_key_is_needed(tmp_path: Path) -> None:
    make_keys(KeyFolder(tmp_path))
    security = CurveServer(KeyFolder(tmp_path))
    with (
        zmq.Context() as context,
        Publisher(context, "tcp://127.0.0.1:*", security=security) as publisher,
    ):
        finding = examine_nion(publisher.url, PLAIN)[-1]
    assert finding.verdict is Verdict.BAD
    assert "--server-key" in finding.found
