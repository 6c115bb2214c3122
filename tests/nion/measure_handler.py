"""What the plug-in costs Nion's acquisition thread, and whether the scan gets slower.

One scan goes on while the plug-in comes and goes, without and with subscribers of each
kind in turn: what else the machine does meets all of them alike. Nion's scan looks
every 50 ms whether a frame has ended: short frames tell of the handler's time, long
ones of the time from frame to frame. Run by hand, for the table in docs/nion.md:

    uv run --extra nion python -m tests.nion.measure_handler
    uv run --extra nion python -m tests.nion.measure_handler 1024 --frame-time 33 \\
        --rounds 1 --frames 3
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
import zmq

from atomstream.nion.headless import Wanted, headless_scan
from atomstream_bridge.bridge import Bridge
from atomstream_bridge.listening import Listener
from atomstream_bridge.settings import BridgeSettings, write_settings
from streamer.subscriber import Subscriber

FRAME_S = {512: 0.5, 1024: 1.0, 2048: 1.0}
TARGET_MS = {512: 1.5, 1024: 4.0, 2048: 14.0}
ALONE = "without the plug-in"
SUBSCRIBE = Path(__file__).parent / "programs" / "subscribe.py"


@dataclass
class Frames:
    """Ends of complete frames, as Nion's scan tells them."""

    ends_s: list[float] = field(default_factory=list)
    more: threading.Condition = field(default_factory=threading.Condition)

    def note(self, args: Any, xdata: Any) -> None:
        del xdata
        if args.state == "complete":
            with self.more:
                self.ends_s.append(time.perf_counter())
                self.more.notify()

    def periods_s(self, count: int) -> list[float]:
        """Of the next `count` frames that are begun from now on."""
        first = len(self.ends_s)
        with self.more:
            self.more.wait_for(lambda: len(self.ends_s) > first + count)
        return np.diff(self.ends_s[first : first + count + 1]).tolist()


@dataclass
class Taken:
    """Times of the handler; those of the thread's CPU leave out what others use."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    growing_ms: list[float] = field(default_factory=list)
    """CPU, for an update of a frame that is still being scanned."""
    periods_s: list[float] = field(default_factory=list)


class Timed(Listener):
    """A listener that notes how long it kept the acquisition thread."""

    taken: Taken

    def _updated(self, args: Any, xdata: Any) -> None:
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        super()._updated(args, xdata)
        wall_ms = (time.perf_counter() - began_s) * 1e3
        cpu_ms = (time.thread_time() - began_cpu_s) * 1e3
        if args.state == "complete":
            self.taken.wall_ms.append(wall_ms)
            self.taken.cpu_ms.append(cpu_ms)
        else:
            self.taken.growing_ms.append(cpu_ms)


@contextmanager
def another(url: str, kind: str) -> Iterator[None]:
    """A subscriber in a process of its own."""
    command = [sys.executable, str(SUBSCRIBE), url, kind]
    process = subprocess.Popen(command, start_new_session=True)
    yield
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def beside(url: str) -> Iterator[None]:
    """A subscriber in this very process, as Nion Swift's would be."""
    done = threading.Event()

    def read() -> None:
        with zmq.Context() as context, Subscriber(context, [url]) as subscriber:
            while not done.is_set():
                subscriber.receive(0.1)

    thread = threading.Thread(target=read)
    thread.start()
    yield
    done.set()
    thread.join()


SUBSCRIBERS: dict[str, Callable[[str], AbstractContextManager[None]]] = {
    "none": lambda _: nullcontext(),
    "reads": lambda url: another(url, "reads"),
    "reads, in the same process": beside,
    "hangs": lambda url: another(url, "hangs"),
    "dies at each frame": lambda url: another(url, "dies"),
}


def main(
    sides: Annotated[list[int] | None, typer.Argument(help="Of the frames.")] = None,
    rounds: Annotated[int, typer.Option(help="Of all kinds of subscribers.")] = 3,
    frames: Annotated[int, typer.Option(help="Of each kind in each round.")] = 5,
    frame_time: Annotated[float, typer.Option(help="Of a frame, s; 0: short.")] = 0.0,
) -> None:
    """Measure these sizes, by default all, with all kinds of subscribers."""
    drawn: dict[tuple[int, int], Any] = {}

    def sample(wanted: Wanted) -> Any:
        if wanted.shape not in drawn:
            drawn[wanted.shape] = np.ones(wanted.shape, np.float32)
        return drawn[wanted.shape]

    typer.echo(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    with headless_scan(sample) as scan:
        for side in sides or TARGET_MS:
            tune(scan, side, frame_time or FRAME_S[side])
            tell(side, measured(scan, rounds, frames))
    typer.echo(f"load {os.getloadavg()[0]:.1f} after")


def measured(scan: Any, rounds: int, count: int) -> dict[str, Taken]:
    """What each kind of subscriber cost, and nothing at all."""
    found: dict[str, Taken] = defaultdict(Taken)
    frames = Frames()
    listening = scan.data_channel_updated_event.listen(frames.note)
    scan.start_playing()
    for _ in range(rounds):
        found[ALONE].periods_s += frames.periods_s(count)
        for kind in SUBSCRIBERS:
            with plug_in(scan, kind, found[kind]):
                found[kind].periods_s += frames.periods_s(count)
    listening.close()
    del listening  # or Nion complains at each event
    scan.stop_playing(sync_timeout=60)
    return found


@contextmanager
def plug_in(scan: Any, kind: str, taken: Taken) -> Iterator[None]:
    """The plug-in at work, with this kind of subscriber."""
    with tempfile.TemporaryDirectory(prefix="atomstream-") as folder:
        file = Path(folder) / "settings.json"
        write_settings(file, BridgeSettings(address="tcp://127.0.0.1:*"))
        bridge = Bridge(file)
    outlet = bridge._outlet
    assert outlet is not None
    with SUBSCRIBERS[kind](outlet.url):
        if kind != "none":
            assert outlet._publisher.wait_for_subscriber(30)
        listener = Timed(scan, outlet, bridge.settings)
        listener.taken = taken
        yield
        listener.close()
    bridge.close()


def tune(scan: Any, side: int, frame_s: float) -> None:
    parameters = scan.get_current_frame_parameters()
    parameters.pixel_size = (side, side)
    parameters.pixel_time_us = frame_s * 1e6 / side**2
    scan.set_current_frame_parameters(parameters)


def tell(side: int, found: dict[str, Taken]) -> None:
    alone = Mean.of(found[ALONE].periods_s)
    typer.echo(
        f"{side}² {ALONE}: {alone.value:.4f} ± {alone.error:.4f} s a frame; "
        f"target {TARGET_MS[side]} ms and 1 %"
    )
    for kind in SUBSCRIBERS:
        taken, period = found[kind], Mean.of(found[kind].periods_s)
        slower, error = period.value / alone.value - 1, period.error + alone.error
        typer.echo(
            f"  {kind}: {said(taken.wall_ms, 'ms')}; "
            f"{said(taken.cpu_ms, 'ms of CPU')}; "
            f"growing {said(taken.growing_ms, 'ms of CPU')}; "
            f"frames {slower:+.2%} ± {error / alone.value:.2%}"
        )


@dataclass(frozen=True)
class Mean:
    """Nion's scan looks every 50 ms whether a frame has ended: a median would jump."""

    value: float
    error: float
    """Standard error."""

    @classmethod
    def of(cls, values: list[float]) -> "Mean":
        error = statistics.stdev(values) / len(values) ** 0.5
        return cls(statistics.mean(values), error)


def said(values: list[float], unit: str) -> str:
    """Median and greatest, and of how many."""
    middle, most = statistics.median(values), max(values)
    return f"{middle:.2f} (at most {most:.2f} of {len(values)}) {unit}"


if __name__ == "__main__":
    typer.run(main)
