"""What `doctor` examines, one function a question."""

import os
import platform
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path

import numpy as np
import zmq

from inference.analyse import Analyser, History
from inference.device import Device
from inference.model import load_model
from inference.runtime import onnxruntime
from streamer.analysis import FRAME_BUDGET_S
from streamer.endpoint import check_reachable
from streamer.errors import AtomstreamError
from streamer.events import Heard, Silent
from streamer.frame import Stream
from streamer.karabo.address import KaraboAddress, is_karabo
from streamer.security import Connecting
from streamer.simulator.movie import CHANNEL, SOURCE, Movie, simulate
from streamer.subscriber import Subscriber

FRAME_BYTES = 4 * 1024**2
PORTS = {5555: "frames", 5556: "frames again", 5557: "analyses",
         5558: "analyses again", 5006: "the page"}  # fmt: skip
LISTEN_S = 5.0


class Verdict(Enum):
    """How a finding bears on the work."""

    GOOD = "good"
    POOR = "poor"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    verdict: Verdict
    what: str
    found: str


@dataclass(frozen=True, slots=True)
class Networks:
    """What would analyse frames."""

    model: str
    """Name of a shipped model, or a model's folder."""
    threads: int
    device: Device


def examine(
    networks: Networks, record: Path, sources: Mapping[str, Connecting]
) -> list[Finding]:
    """All findings; none of the questions can raise."""
    findings = [machine(), runtime(), speed(networks), disk(record), ports()]
    findings += [source(url, security) for url, security in sources.items()]
    return findings


def machine() -> Finding:
    """What it is."""
    cores = os.cpu_count() or 1
    verdict = Verdict.GOOD if cores >= 2 else Verdict.POOR
    system = (
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
    return Finding(verdict, "machine", f"{system}, {cores} cores")


def runtime() -> Finding:
    """What ONNX Runtime could run on."""
    providers = ", ".join(onnxruntime.get_available_providers())
    found = f"{onnxruntime.__version__}: {providers}"
    return Finding(Verdict.GOOD, "ONNX Runtime", found)


def speed(networks: Networks) -> Finding:
    """Time to analyse a simulated frame of 1024 x 1024 pixels."""
    try:
        model = load_model(networks.model, networks.threads, networks.device)
        analyser = Analyser(model)
        exposure = next(islice(simulate(Movie(frames=1), seed=1), 1))
        frame = exposure.frame(Stream("doctor", SOURCE, CHANNEL), epoch_ns=0)
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            analysis = analyser.analyse(frame, History())
            seconds.append(time.perf_counter() - start)
    except AtomstreamError as error:
        return Finding(Verdict.BAD, "model", str(error))
    taken = statistics.median(seconds)
    verdict = Verdict.GOOD if taken < FRAME_BUDGET_S / 2 else Verdict.BAD
    found = (
        f"{len(analysis.atoms)} atoms of a 1024 x 1024 frame in {taken:.2f} s "
        f"of the {FRAME_BUDGET_S} s that a frame takes, "
        f"{networks.threads} threads, {model.provider}"
    )
    return Finding(verdict, f"model {networks.model}", found)


def disk(record: Path) -> Finding:
    """Room for frames, and how fast one is safely written."""
    try:
        free = shutil.disk_usage(record).free
        with tempfile.NamedTemporaryFile(dir=record) as file:
            data = np.random.default_rng(0).bytes(FRAME_BYTES)
            start = time.perf_counter()
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            taken = time.perf_counter() - start
    except OSError as error:
        return Finding(Verdict.BAD, "disk", f"{record}: {error.strerror}")
    frames = free // FRAME_BYTES
    verdict = Verdict.GOOD if frames > 1000 and taken < 1 else Verdict.POOR
    found = (
        f"{free / 1e9:.0f} GB free: {frames} frames of 1024 x 1024; "
        f"one is safe after {taken * 1e3:.0f} ms"
    )
    return Finding(verdict, "disk", found)


def ports() -> Finding:
    """Whether the usual ports are free."""
    taken = [f"{port} ({use})" for port, use in PORTS.items() if not is_free(port)]
    if not taken:
        return Finding(Verdict.GOOD, "ports", "all free")
    found = f"in use: {', '.join(taken)}; a service may be running"
    return Finding(Verdict.POOR, "ports", found)


def is_free(port: int) -> bool:
    """Whether a TCP port of this computer can be bound."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def source(url: str, security: Connecting, listen_s: float = LISTEN_S) -> Finding:
    """Whether a publisher is heard, within `listen_s`."""
    if is_karabo(url):
        return bridge(KaraboAddress.parse(url), listen_s)
    try:
        with (
            zmq.Context() as context,
            Subscriber(context, [url], security={url: security}) as subscriber,
        ):
            deadline = time.monotonic() + listen_s
            while (left := deadline - time.monotonic()) > 0:
                event = subscriber.receive(left)
                if isinstance(event, Heard):
                    return Finding(Verdict.GOOD, "source", f"{url} is heard")
                if isinstance(event, Silent) and event.reason:
                    return Finding(Verdict.BAD, "source", f"{url}: {event.reason}")
    except AtomstreamError as error:
        return Finding(Verdict.BAD, "source", str(error))
    found = (
        f"nothing from {url} in {listen_s:.0f} s; is it running, is a firewall between?"
    )
    return Finding(Verdict.BAD, "source", found)


def bridge(address: KaraboAddress, wait_s: float) -> Finding:
    """Whether anything listens where a karabo-bridge should, within `wait_s`.

    It is not asked for a train: nobody else would get that one.
    """
    place = address.place
    try:
        check_reachable(place)
        with socket.create_connection((place.host.strip("[]"), place.port), wait_s):
            pass
    except AtomstreamError as error:
        return Finding(Verdict.BAD, "source", str(error))
    except OSError as error:
        found = f"{address.url}: {error.strerror or error}; is the bridge running?"
        return Finding(Verdict.BAD, "source", found)
    found = f"{address.url} takes connections; `tap` shows what it sends"
    return Finding(Verdict.GOOD, "source", found)
