"""Whatever an event brings, Nion Swift does not feel it, and nothing is lost unsaid."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest

from atomstream_bridge.bridge import Bridge
from atomstream_bridge.settings import BridgeSettings, write_settings
from streamer.events import Gap
from streamer.frame import Completeness

Receive = Callable[[Bridge], Any]


@dataclass
class Event:
    """Fires as Nion's do: what a listener raises comes out."""

    listeners: list[Callable[..., None]] = field(default_factory=list)

    def listen(self, listener: Callable[..., None]) -> Any:
        self.listeners.append(listener)
        return SimpleNamespace(close=lambda: self.listeners.remove(listener))

    def fire(self, *arguments: Any) -> None:
        for listener in tuple(self.listeners):
            listener(*arguments)


@dataclass
class Source:
    """A scan that delivers what it is told to."""

    hardware_source_id: str = "scan"
    display_name: str = "Scan"
    scan_device: object = None
    data_channel_updated_event: Event = field(default_factory=Event)
    acquisition_state_changed_event: Event = field(default_factory=Event)
    abort_event: Event = field(default_factory=Event)

    def deliver(
        self,
        value: float = 1.0,
        dtype: Any = np.float32,
        state: str = "complete",
        **other: Any,
    ) -> None:
        args = SimpleNamespace(
            channel_id="a", data_channel_id="a", name="HAADF", state=state
        )
        axis = SimpleNamespace(offset=0.0, scale=0.5, units="nm")
        values = {
            "data": np.full((8, 8), value, dtype),
            "data_shape": (8, 8),
            "dimensional_calibrations": (axis, axis),
            "timestamp": datetime(2026, 1, 1),
            "metadata": {},
        }
        xdata = SimpleNamespace(**(values | other))
        self.data_channel_updated_event.fire(args, xdata)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def listening(source: Source, tmp_path: Path) -> Iterator[Bridge]:
    file = tmp_path / "atomstream.json"
    write_settings(file, BridgeSettings(address="tcp://127.0.0.1:*"))
    bridge = Bridge(file)
    bridge.add(source)
    yield bridge
    bridge.close()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ({"metadata": None}, "an event could not be read"),
        ({"dimensional_calibrations": None}, "an event could not be read"),
        ({"timestamp": None}, "an event could not be read"),
        ({"data": None}, "an event could not be read"),
        ({"dtype": np.complex64}, "pixels of type complex64"),
    ],
)
def test_what_cannot_be_read_is_counted_and_the_next_frame_is_sent(
    source: Source,
    listening: Bridge,
    receive: Receive,
    damage: dict[str, Any],
    complaint: str,
) -> None:
    received = receive(listening)
    source.deliver(**damage)
    source.deliver(2.0)
    received.until(lambda: bool(received.frames()))
    assert received.frames()[0].image[0, 0] == 2
    received.until(lambda: listening.state().counters.sent == 1)
    assert listening.state().counters.failed == 1
    assert complaint in listening.state().problem


def test_what_can_never_be_read_does_not_fill_the_log(
    source: Source, listening: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        source.deliver(metadata=None)
        source.deliver(timestamp=None)
    lines = [each.getMessage() for each in caplog.records]
    assert len(lines) == 2 * len((1, 2, 4, 8, 16, 32, 64))
    assert "(64 times)" in lines[-1]
    assert listening.state().counters.failed == 200


@pytest.mark.parametrize("shape", [(64,), (2, 8, 8)])
def test_what_is_no_image_is_left_alone(
    source: Source, listening: Bridge, shape: tuple[int, ...]
) -> None:
    source.deliver(data=np.zeros(shape), data_shape=shape)
    assert listening.state().problem == ""


def test_a_frame_for_which_there_is_no_room_is_missing_and_known_to_be(
    source: Source, listening: Bridge, receive: Receive
) -> None:
    received = receive(listening)
    outlet = listening._outlet
    assert outlet is not None
    outlet._queue.max_bytes = 1
    with outlet._publisher._outbox.changed:  # the sending thread gets no further
        source.deliver(0)
        received.until(lambda: len(outlet._queue) == 0)
        for value in range(1, 4):
            source.deliver(value)
    received.until(lambda: len(received.frames()) == 2)
    source.deliver(4)
    received.until(lambda: len(received.frames()) == 3)
    assert [frame.seq for frame in received.frames()] == [0, 1, 4]
    gaps = [event for event in received.events if isinstance(event, Gap)]
    assert [n for gap in gaps for n in range(gap.first, gap.last + 1)] == [2, 3]
    assert listening.state().counters.dropped == 2


class Busy(Thread):
    """Never lets the interpreter go of its own accord."""

    over = False

    def run(self) -> None:
        while not self.over:
            pass

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self.over = True
        self.join()


@pytest.fixture
def turns_s() -> Iterator[float]:
    """How long a thread keeps the interpreter when others want it; 5 ms usually."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(0.3)
    yield 0.3
    sys.setswitchinterval(usual_s)


@pytest.mark.parametrize("state", ["complete", "partial"])
def test_a_busy_thread_in_nion_swift_does_not_hold_up_the_acquisition(
    source: Source, listening: Bridge, turns_s: float, state: str
) -> None:
    listening.apply(replace(listening.settings, partial_every_s=0.1))
    image = np.ones((1024, 1024), np.float32)
    metadata = {"hardware_source": {"valid_rows": 512}}
    taken_s = []
    with Busy():
        for _ in range(8):
            time.sleep(0.1)  # gives the interpreter away; a turn begins when it is back
            began_s = time.perf_counter()
            source.deliver(
                data=image, data_shape=image.shape, metadata=metadata, state=state
            )
            taken_s.append(time.perf_counter() - began_s)
    counters = listening.state().counters
    assert counters.sent + counters.waiting + counters.dropped > 0
    *_, second_longest_s, _ = sorted(taken_s)
    assert second_longest_s < turns_s / 3


def test_an_older_nion_swift_is_refused_with_the_version_that_is_needed(
    listening: Bridge,
) -> None:
    older = SimpleNamespace(hardware_source_id="old", display_name="", scan_device=None)
    listening.add(older)
    assert "nionswift-instrumentation 22.0 or newer" in listening.state().problem
    assert listening.state().sources == ("scan",)


def test_a_source_that_does_not_scan_is_left_alone(listening: Bridge) -> None:
    camera = SimpleNamespace(hardware_source_id="camera", display_name="Camera")
    listening.add(camera)
    assert listening.state().sources == ("scan",)


def test_an_aborted_frame_is_sent_also_when_nion_swift_says_no_last_word(
    source: Source, listening: Bridge, receive: Receive
) -> None:
    received = receive(listening)
    source.acquisition_state_changed_event.fire(True)
    source.deliver(1.0)
    growing = {"hardware_source": {"valid_rows": 3, "frame_index": 1}}
    source.deliver(2.0, state="partial", metadata=growing)
    source.abort_event.fire()
    source.acquisition_state_changed_event.fire(False)
    received.until(lambda: bool(received.ended()))
    whole, broken = received.frames()
    assert whole.completeness is Completeness.COMPLETE
    assert (broken.completeness, broken.valid_rows) == (Completeness.ABORTED, 3)
    assert [row[0] for row in broken.image] == [2] * 3 + [0] * 5


@pytest.mark.parametrize("goes", ["removed", "off", "closed"])
def test_streams_end_when_nothing_more_can_come(
    source: Source, listening: Bridge, receive: Receive, goes: str
) -> None:
    received = receive(listening)
    source.deliver()
    received.until(lambda: bool(received.frames()))
    if goes == "removed":
        listening.remove(source)
    elif goes == "off":
        listening.apply(BridgeSettings(enabled=False))
    else:
        listening.close()
    received.until(lambda: bool(received.ended()))
    assert list(received.ended().values()) == [1]
    assert source.data_channel_updated_event.listeners == []
