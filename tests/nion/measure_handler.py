"""What the plug-in costs Nion's acquisition thread, and whether the scan gets slower.

Run by hand, for the table in docs/nion.md:

    uv run --extra nion python -m tests.nion.measure_handler
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import typer
import zmq

from atomstream.nion.headless import Wanted, headless_scan
from nionswift_plugin.atomstream_bridge.bridge import Bridge
from nionswift_plugin.atomstream_bridge.listening import Listener
from nionswift_plugin.atomstream_bridge.settings import BridgeSettings, write_settings
from streamer.events import Received
from streamer.subscriber import Subscriber

FRAMES = 30
PIXEL_TIME_US = {512: 2.0, 1024: 1.0, 2048: 0.5}
TARGET_MS = {512: 1.5, 1024: 4.0, 2048: 14.0}
SUBSCRIBERS = ("none", "one that reads", "one that hangs")


class Timed(Listener):
    """A listener that notes how long complete frames kept the acquisition thread."""

    taken: "Taken"

    def _updated(self, args: Any, xdata: Any) -> None:
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        super()._updated(args, xdata)
        if args.state == "complete":
            self.taken.wall_ms.append((time.perf_counter() - began_s) * 1e3)
            self.taken.cpu_ms.append((time.thread_time() - began_cpu_s) * 1e3)


@dataclass
class Taken:
    """Times of the handler; those of the thread's CPU leave out what others use."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


def main(frames: int = FRAMES) -> None:
    """Measure all sizes and kinds of subscribers."""
    drawn: dict[tuple[int, int], Any] = {}

    def sample(wanted: Wanted) -> Any:
        if wanted.shape not in drawn:
            drawn[wanted.shape] = np.ones(wanted.shape, np.float32)
        return drawn[wanted.shape]

    with headless_scan(sample) as scan:
        for side, target_ms in TARGET_MS.items():
            tune(scan, side)
            alone_s = periods(scan, frames)
            typer.echo(f"{side}²: {said(alone_s, 's a frame')} without the plug-in")
            for kind in SUBSCRIBERS:
                with plug_in(scan, kind) as taken:
                    beside_s = periods(scan, frames)
                slower = statistics.median(beside_s) / statistics.median(alone_s) - 1
                typer.echo(
                    f"  {kind}: {said(taken.wall_ms, 'ms')}, target {target_ms} ms; "
                    f"{said(taken.cpu_ms, 'ms of CPU')}; "
                    f"{said(beside_s, 's a frame')}, {slower:+.2%}"
                )


def tune(scan: Any, side: int) -> None:
    parameters = scan.get_current_frame_parameters()
    parameters.pixel_size = (side, side)
    parameters.pixel_time_us = PIXEL_TIME_US[side]
    scan.set_current_frame_parameters(parameters)


def periods(scan: Any, frames: int) -> list[float]:
    """Seconds from one complete frame to the next."""
    times: list[float] = []
    enough = threading.Event()

    def note(args: Any, xdata: Any) -> None:
        del xdata
        if args.state == "complete":
            times.append(time.perf_counter())
            if len(times) > frames:
                enough.set()

    listening = scan.data_channel_updated_event.listen(note)
    scan.start_playing()
    enough.wait()
    listening.close()
    del listening  # or Nion complains at each event
    scan.stop_playing(sync_timeout=60)
    return np.diff(times).tolist()


@contextmanager
def plug_in(scan: Any, kind: str) -> Iterator[Taken]:
    """The times that its listener takes, with a subscriber of this kind."""
    file = Path(tempfile.mkdtemp()) / "settings.json"
    write_settings(file, BridgeSettings(address="tcp://127.0.0.1:*"))
    bridge = Bridge(file)
    outlet = bridge._outlet
    assert outlet is not None
    listener = Timed(scan, outlet, bridge.settings)
    listener.taken = Taken()
    done = threading.Event()
    thread = threading.Thread(target=subscribe, args=(bridge.state().url, kind, done))
    thread.start()
    yield listener.taken
    listener.close()
    done.set()
    thread.join()
    bridge.close()


def subscribe(url: str, kind: str, done: threading.Event) -> None:
    """Be a subscriber until `done`; in the same process, which is the harder case."""
    if kind == "none":
        return
    with zmq.Context() as context, Subscriber(context, [url]) as subscriber:
        while not done.is_set():
            event = subscriber.receive(0.1)
            if kind == "one that hangs" and isinstance(event, Received):
                done.wait()


def said(values: list[float], unit: str) -> str:
    """Median and greatest."""
    return f"{statistics.median(values):.3f} (at most {max(values):.3f}) {unit}"


if __name__ == "__main__":
    typer.run(main)
