"""One frame with refinement, or without: again and again, and once alone."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomstream.bench.figures import ModeFigures, NetworkFigures
from atomstream.bench.fresh_process import run_fresh
from atomstream.bench.gemm import GemmPeak
from atomstream.bench.one_way import Run, Way
from atomstream.bench.scenes import PIXEL_SIZE_NM
from atomstream.bench.spread import Timing, spread
from inference.device import Device
from inference.model import Model
from streamer.wire import Buffer

type Tick = Callable[[], None]
"""Called whenever something is done."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured, and what it is measured against."""

    model: Model
    name: str
    """Or folder, as the command line had it."""
    threads: int
    device: Device
    gemm: GemmPeak
    flop_per_pixel: float


@dataclass(frozen=True, slots=True)
class Runs:
    """The same frame as often in each way."""

    wall: list[Run]
    cpu: list[Run]
    """By CPU time, one stage after the other."""
    together: list[Run]
    """By CPU time, with stages side by side as when frames are analysed."""

    def timing(self, of: Callable[[Run], float]) -> Timing:
        """Of one part of the path."""
        return Timing(
            spread([of(run) for run in self.wall]),
            spread([of(run) for run in self.cpu]),
        )

    def stage(self, name: str) -> Timing:
        """Of one stage; 0 where it has no turn of its own."""
        return self.timing(lambda run: run.stages_ms.get(name, 0.0))


def measure_mode(
    subject: Subject,
    message: Sequence[Buffer],
    frame_file: Path,
    repeats: int,
    tick: Tick,
    *,
    refine: bool,
) -> ModeFigures:
    """Time in this process, and memory in one of its own.

    Parameters
    ----------
    message
        The frame, as it travels.
    frame_file
        The same frame as .npy.
    """
    runs = repeat(subject.model, message, repeats, tick, refine=refine)
    peak_mb = peak_alone(subject, frame_file, refine=refine)
    tick()
    return mode_figures(runs, subject, peak_mb)


def repeat(
    model: Model, message: Sequence[Buffer], repeats: int, tick: Tick, *, refine: bool
) -> Runs:
    """By the clock on the wall and by CPU time in turns, after one that is not counted.

    Two clocks at once would each count what it takes to read the other. CPU time is of
    all threads together: of stages that run side by side each would be charged with the
    other's, so that they have their turns where they are told apart.
    """
    wall = Way(model, refine=refine, clock=time.perf_counter)
    cpu = Way(model, refine=refine, beside=False, clock=time.process_time)
    together = Way(model, refine=refine, clock=time.process_time)
    wall.go(message)
    runs = Runs([], [], [])
    for _ in range(repeats):
        runs.wall.append(wall.go(message))
        runs.cpu.append(cpu.go(message))
        runs.together.append(together.go(message))
        tick()
    return runs


def peak_alone(subject: Subject, frame_file: Path, *, refine: bool) -> float:
    """Memory that a fresh process takes at most for the frame, 10⁶ bytes."""
    command = (
        sys.executable, "-m", "atomstream.bench.alone", subject.name,
        str(subject.threads), subject.device, "on" if refine else "off", frame_file,
        str(PIXEL_SIZE_NM),
    )  # fmt: skip
    return run_fresh(command, subject.threads).peak_mb


def mode_figures(runs: Runs, subject: Subject, peak_mb: float) -> ModeFigures:
    """What the runs tell."""
    frame = Timing(
        spread([run.total_ms for run in runs.wall]),
        spread([run.total_ms for run in runs.together]),
    )
    rest = runs.timing(lambda run: run.rest_ms)
    names = dict.fromkeys([*runs.cpu[0].stages_ms, *runs.wall[0].stages_ms])
    stages = {name: runs.stage(name) for name in names}
    return ModeFigures(
        atoms=runs.wall[0].atoms,
        frame=frame,
        stages=stages,
        network=network_figures(
            runs.timing(lambda run: run.dcnn_ms), runs.wall[0].pixels, subject
        ),
        encoder=runs.timing(lambda run: run.encoder_ms),
        rest=rest,
        rest_share=rest.wall_ms.p50 / frame.wall_ms.p50,
        peak_mb=peak_mb,
    )


def network_figures(time: Timing, pixels: int, subject: Subject) -> NetworkFigures:
    """How fast the network was, and how fast it could have been."""
    gflop = pixels * subject.flop_per_pixel / 1e9
    gflop_s = gflop / time.wall_ms.p50 * 1e3
    gflop_per_cpu_s = gflop / time.cpu_ms.p50 * 1e3
    return NetworkFigures(
        time=time,
        megapixels=pixels / 1e6,
        gflop=gflop,
        gflop_s=gflop_s,
        gflop_per_cpu_s=gflop_per_cpu_s,
        share_of_gemm=gflop_s / subject.gemm.gflop_s,
        share_of_gemm_cpu=gflop_per_cpu_s / subject.gemm.gflop_per_cpu_s,
    )
