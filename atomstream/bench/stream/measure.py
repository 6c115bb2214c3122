"""The benchmark of receiving: who receives, in turn, again and again."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import numpy as np

from atomstream.bench.machine import this_machine
from atomstream.bench.peer.environment import KARABO_BRIDGE, Environment
from atomstream.bench.spread import spread
from atomstream.bench.stream.figures import Durable, Received, StreamFigures
from atomstream.bench.stream.runs import CURVE, PEER, Told, free_url, run
from atomstream.bench.stream.told import UNCOUNTED, Job
from atomstream.progress import Report
from streamer.frame import Frame, Stream
from streamer.key_changes import make_keys
from streamer.keys import KeyFolder
from streamer.session.recorder import FrameRecorder
from streamer.wire import pack, unpack

RECEIVERS = ("bare", "checked", "ours")
TRANSPORTS = ("tcp", "ipc", CURVE)
NOMINAL_PX = 1024
PER_SECOND = 20.0
"""Frames of 1024² (84 MB/s): slow enough that no frame waits for another."""
COMMITS = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    sizes: tuple[int, ...]
    """Rows and columns, in pixels."""
    runs: int
    """Of each receiver."""
    frames: int
    """That count, of each run of 1024²; of larger ones fewer."""
    folder: Path | None = None
    """On the disk that commits are measured with; None: the one for temporary files."""

    def job(self, receiver: str, url: str, size_px: int) -> Job:
        """At the same rate of bytes for all sizes, and never faster than nominal."""
        share = min(1.0, (NOMINAL_PX / size_px) ** 2)
        frames = UNCOUNTED + max(10, round(self.frames * share))
        return Job(receiver, url, size_px, frames, PER_SECOND * share)


def bench_stream(plan: Plan, peer: Environment | None, report: Report) -> StreamFigures:
    """Everybody in turn, so that what disturbs one disturbs all.

    Raises
    ------
    SettingsError
        The peer cannot be run.
    """
    machine = this_machine()
    receivers = (*RECEIVERS, PEER) if peer else RECEIVERS
    kinds = [
        (size_px, transport, receiver)
        for size_px in plan.sizes
        for transport in TRANSPORTS
        for receiver in receivers
        # The peer encrypts nothing.
        if (receiver, transport) != (PEER, CURVE)
    ]
    told: dict[tuple[int, str, str], list[Told]] = {kind: [] for kind in kinds}
    turns = kinds * plan.runs
    with tempfile.TemporaryDirectory() as folder:
        keys = KeyFolder(Path(folder) / "keys")
        make_keys(keys)
        for done, kind in enumerate(turns):
            report(done, len(turns) + 1)
            size_px, transport, receiver = kind
            url = free_url(transport, Path(folder))
            job = plan.job(receiver, url, size_px)
            if transport == CURVE:
                job = replace(job, keys=str(keys.path))
            told[kind].append(run(job, peer))
    durable = measure_commits(plan.sizes[0], plan.folder)
    report(len(turns) + 1, len(turns) + 1)
    return StreamFigures(
        machine=machine,
        per_second=PER_SECOND,
        received=tuple(received(*kind, told[kind]) for kind in kinds),
        durable=durable,
        peer_version=KARABO_BRIDGE.version if peer else None,
    )


def received(
    size_px: int, transport: str, receiver: str, told: Sequence[Told]
) -> Received:
    """All runs of one receiver."""
    latencies_ms = [each for one in told for each in one.latencies_ms]
    return Received(
        receiver=receiver,
        transport=transport,
        size_px=size_px,
        runs=len(told),
        frames=len(told[0].latencies_ms),
        cpu_ms=spread([one.cpu_ms for one in told]),
        latency_ms=spread(latencies_ms),
    )


def measure_commits(size_px: int, folder: Path | None) -> Durable:
    """From the bytes of a message to a frame that survives a power cut."""
    stream = Stream(str(uuid4()), "bench", "HAADF")
    image = np.random.default_rng(0).random((size_px, size_px), np.float32)
    messages = [pack(Frame(stream, seq, image), 0) for seq in range(COMMITS)]
    took_s = []
    with (
        tempfile.TemporaryDirectory(dir=folder) as place,
        FrameRecorder(Path(place) / "session") as recorder,
    ):
        for parts in messages:
            start_s = time.perf_counter()
            frame = unpack(parts).message
            assert isinstance(frame, Frame)
            recorder.commit_frame(frame, received_ns=0)
            took_s.append(time.perf_counter() - start_s)
    return Durable(
        size_px=size_px,
        frames=COMMITS,
        frames_per_s=COMMITS / sum(took_s),
        commit_ms=spread([each * 1e3 for each in took_s]),
    )
