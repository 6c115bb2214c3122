"""What `docs/sources.md` shows works as it stands there."""

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zmq

from atomstream.ports import free_address
from streamer.events import Ended, Event, Gap, Received
from streamer.frame import Frame
from streamer.session.reader import SessionReader
from streamer.subscriber import Subscriber

type Spawn = Callable[..., subprocess.Popen[str]]

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "example_publisher.py"


@pytest.fixture
def acquire() -> Callable[[int], np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """What the example says its detector gives."""
    found = runpy.run_path(str(EXAMPLE))["acquire"]
    assert callable(found)
    return found


def test_the_example_is_as_short_as_it_is_said_to_be() -> None:
    lines = EXAMPLE.read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 30


def test_a_service_records_what_the_example_sends(
    tmp_path: Path, spawn: Spawn, acquire: Callable[[int], np.ndarray]
) -> None:
    source, session = free_address(), tmp_path / "session"
    with subprocess.Popen([sys.executable, EXAMPLE, source]) as example:
        service = spawn(
            "serve", "--connect", source, "--record", session,
            "--publish", free_address(), "--until-end",
        )  # fmt: skip
        assert service.wait(100) == 0
        # It goes when the service has everything.
        assert example.wait(30) == 0
    with SessionReader(session) as reader:
        (record,) = reader.streams()
        assert (record.stream.source, record.stream.channel) == (
            "my microscope",
            "HAADF",
        )
        assert (record.frames, record.total, reader.gaps()) == (10, 10, [])
        for seq in range(10):
            frame = reader.frame(record.stream.id, seq)
            assert frame.image.tobytes() == acquire(seq).tobytes()
            assert frame.pixel_size_nm == 8 / 512
        # Graphene has 38.2 atoms a nm².
        densities = [
            each.summary.density_nm2 for each in reader.analyses(record.stream.id)
        ]
    assert densities == 10 * [pytest.approx(38.2, rel=0.03)]


def test_what_any_language_can_send_is_received(
    tmp_path: Path,
) -> None:
    text = (DOCS / "sources.md").read_text()
    (program,) = re.findall(r"```python\n(import.*?)```", text, re.DOTALL)
    assert "streamer" not in program
    source = free_address()
    assert "tcp://127.0.0.1:5555" in program
    path = tmp_path / "source.py"
    path.write_text(program.replace("tcp://127.0.0.1:5555", source))
    events: list[Event] = []
    with (
        subprocess.Popen([sys.executable, path]) as process,
        zmq.Context() as context,
        Subscriber(context, [source]) as subscriber,
    ):
        while not (events and isinstance(events[-1], Ended)):
            event = subscriber.receive(60)
            assert event is not None, events
            events.append(event)
        assert process.wait(30) == 0
    frames = [
        event.message
        for event in events
        if isinstance(event, Received) and isinstance(event.message, Frame)
    ]
    lost = [event for event in events if isinstance(event, Gap)]
    missed = sum(gap.last - gap.first + 1 for gap in lost)
    assert frames
    assert len(frames) + missed == 10
    for frame in frames:
        assert (frame.image == frame.seq).all()
        assert frame.shape == (256, 512)
        assert frame.image.dtype == np.uint16
        assert frame.pixel_size_nm == 0.0156
