"""With keys, what Nion Swift scans reaches the service and nobody else."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zmq

from atomstream.ports import free_address
from atomstream_bridge.bridge import Bridge
from streamer.endpoint import Address, open_socket
from streamer.frame import Stream
from streamer.key_changes import allow, make_keys, revoke
from streamer.keys import KeyFolder
from streamer.messages import Content, Feed, Request
from streamer.security import Connecting, CurveClient, Plain
from streamer.session.reader import SessionReader
from streamer.session.records import Totals
from streamer.wire import pack

type Context = zmq.Context[zmq.Socket[bytes]]

PATIENCE_S = 90.0
FRAMES = 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def context() -> Iterator[Context]:
    context = zmq.Context()
    yield context
    context.term()


@pytest.fixture
def new_keys(tmp_path: Path) -> Callable[[str], KeyFolder]:
    def make(name: str) -> KeyFolder:
        folder = KeyFolder(tmp_path / name)
        make_keys(folder)
        return folder

    return make


@dataclass
class Stranger:
    """Knows address, protocol and stream, and stands at both doors of the plug-in."""

    live: zmq.Socket[bytes]
    asked: zmq.Socket[bytes]
    messages: int = 0

    @classmethod
    def at(cls, context: Context, url: str, security: Connecting) -> "Stranger":
        live, asked = (
            open_socket(
                context, kind, where, security=security, queue=1000, message_bytes=-1
            )
            for kind, where in (
                (zmq.SUB, Address.parse(url)),
                (zmq.DEALER, Address.parse(url).catch_up()),
            )
        )
        live.subscribe("")
        live.connect(url)
        asked.connect(Address.parse(url).catch_up().url)
        return cls(live, asked)

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *reason: object) -> None:
        self.live.close(0)
        self.asked.close(0)

    def try_everything(self, stream: Stream) -> None:
        """Ask for all there is, and take what comes."""
        request = Request(Feed(Content.FRAME, stream), 0, FRAMES)
        with suppress(zmq.Again):
            self.asked.send_multipart(pack(request, 0), zmq.NOBLOCK)
        for socket in (self.live, self.asked):
            with suppress(zmq.Again):
                while True:
                    socket.recv_multipart(zmq.NOBLOCK)
                    self.messages += 1


def test_the_service_with_an_allowed_key_gets_every_frame_and_others_get_nothing(
    scan: Any,
    bridge: Callable[..., Bridge],
    program: Callable[..., Any],
    tmp_path: Path,
    context: Context,
    new_keys: Callable[[str], KeyFolder],
    totals: Callable[[Path], Totals],
    wait_for: Callable[[Callable[[], bool], float], None],
    sample: Any,
) -> None:
    microscope, analysis, unknown, dismissed = map(
        new_keys, ("microscope", "analysis", "unknown", "dismissed")
    )
    for name, keys in (("analysis", analysis), ("dismissed", dismissed)):
        allow(microscope, name, keys.public())
    revoke(microscope, "dismissed")
    url = bridge(key_folder=str(microscope.path)).state().url
    session, ours = tmp_path / "session", microscope.public()
    program(
        "serve", "--connect", url, "--server-key", ours.hex(), "--record", session,
        "--keys", analysis.path, "--publish", free_address(), "--no-refine",
    )  # fmt: skip
    peers = {
        "without keys": Plain(),
        "with an unknown key": CurveClient(unknown, ours),
        "with a key that was revoked": CurveClient(dismissed, ours),
        "with another's word for the microscope": CurveClient(
            analysis, unknown.public()
        ),
        "allowed": CurveClient(analysis, ours),
    }
    with ExitStack() as stack:
        at_doors = {
            who: stack.enter_context(Stranger.at(context, url, security))
            for who, security in peers.items()
        }
        scan.start_playing()
        wait_for(lambda: totals(session).frames >= 1, PATIENCE_S)
        with SessionReader(session) as reader:
            (record,) = reader.streams()

        def has_all() -> bool:
            for peer in at_doors.values():
                peer.try_everything(record.stream)
            return totals(session).frames >= FRAMES

        wait_for(has_all, PATIENCE_S)
        scan.stop_playing(sync_timeout=20)
        allowed = at_doors.pop("allowed")
        assert {who: peer.messages for who, peer in at_doors.items()} == dict.fromkeys(
            at_doors, 0
        )
        # By the same doors, at the same time.
        assert allowed.messages >= FRAMES
    wait_for(lambda: totals(session).frames == len(sample.drawn), PATIENCE_S)
    with SessionReader(session) as reader:
        images = [
            reader.frame(record.stream.id, frame.seq).image
            for frame in reader.frames(record.stream.id)
        ]
    assert [sample.index(image) for image in images] == list(range(len(images)))
