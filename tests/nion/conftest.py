"""Nion's own scan, headless, and the plug-in that listens to it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq
from numpy.typing import NDArray

from atomstream.nion.headless import Wanted, headless_scan
from atomstream_bridge.bridge import Bridge
from atomstream_bridge.settings import BridgeSettings, write_settings
from streamer.events import Ended, Event, Received
from streamer.frame import Frame
from streamer.subscriber import Subscriber

PATIENCE_S = 30.0
SIDE = 32
PIXEL_TIME_US = 100.0


@dataclass
class Sample:
    """Frames that are told apart by their grey values: nowhere 0, each anew."""

    drawn: list[NDArray[np.float32]] = field(default_factory=list)

    def __call__(self, wanted: Wanted) -> NDArray[np.float32]:
        rng = np.random.default_rng(len(self.drawn))
        image = (len(self.drawn) + rng.uniform(1, 2, wanted.shape)).astype(np.float32)
        self.drawn.append(image)
        return image

    def index(self, image: NDArray[np.generic]) -> int:
        """Which of the frames that were drawn has exactly these bytes."""
        found = [n for n, drawn in enumerate(self.drawn)
                 if drawn.tobytes() == image.tobytes()]  # fmt: skip
        assert len(found) == 1, f"{len(found)} frames have these bytes"
        return found[0]


@pytest.fixture(scope="session")
def sample() -> Sample:
    return Sample()


@pytest.fixture(scope="session")
def microscope(sample: Sample) -> Iterator[Any]:
    """One for all tests: Nion's registry knows one of a kind, and takes 5 s to import.

    Nion's packages come with the extra [nion].
    """
    pytest.importorskip("nion.usim_device", reason="needs the extra [nion]")
    with headless_scan(sample) as scan:
        yield scan


@pytest.fixture
def scan(microscope: Any, sample: Sample) -> Iterator[Any]:
    """The microscope as the tests know it: 32² pixels of 4 nm, 0.1 s a frame, HAADF."""
    sample.drawn.clear()
    parameters = microscope.get_current_frame_parameters()
    parameters.pixel_size = (SIDE, SIDE)
    parameters.pixel_time_us = PIXEL_TIME_US
    parameters.fov_nm = 4.0
    microscope.set_current_frame_parameters(parameters)
    for channel in range(microscope.channel_count):
        microscope.set_channel_enabled(channel, channel == 0)
    yield microscope
    microscope.abort_playing(sync_timeout=PATIENCE_S)
    microscope.subscan_enabled = False


class Receiver:
    """Everything that a subscriber hears, in order."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self.events: list[Event] = []

    def until(self, holds: Callable[[], bool]) -> None:
        """Receive until something holds, which it must."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < deadline, self.events
            if event := self._subscriber.receive(0.1):
                self.events.append(event)

    def frames(self, channel: str | None = None) -> list[Frame]:
        """Frames so far, of one channel or all."""
        frames = [event.message for event in self.events
                  if isinstance(event, Received)]  # fmt: skip
        return [frame for frame in frames if isinstance(frame, Frame)
                and channel in (None, frame.stream.channel)]  # fmt: skip

    def ended(self) -> dict[str, int]:
        """Streams that have ended, and how many frames they had."""
        return {event.stream.id: event.total for event in self.events
                if isinstance(event, Ended)}  # fmt: skip

    def streams(self) -> list[str]:
        """Ids of the streams of which there is a frame, in order."""
        return list(dict.fromkeys(frame.stream.id for frame in self.frames()))


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    return tmp_path / "atomstream.json"


@pytest.fixture
def bridge(scan: Any, settings_file: Path) -> Iterator[Callable[..., Bridge]]:
    """Start the plug-in's bridge with these settings, listening to the microscope."""
    bridges: list[Bridge] = []

    def start(**values: Any) -> Bridge:
        settings = replace(BridgeSettings(address="tcp://127.0.0.1:*"), **values)
        write_settings(settings_file, settings)
        bridges.append(Bridge(settings_file))
        bridges[-1].add(scan)
        return bridges[-1]

    yield start
    for bridge in bridges:
        bridge.close()


@pytest.fixture
def receive() -> Iterator[Callable[[Bridge], Receiver]]:
    """Subscribe to all that a bridge sends, from its first frame on."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    subscribers: list[Subscriber] = []

    def subscribe(bridge: Bridge) -> Receiver:
        subscribers.append(Subscriber(context, [bridge.state().url]))
        return Receiver(subscribers[-1])

    yield subscribe
    for subscriber in subscribers:
        subscriber.close()
    context.term()
