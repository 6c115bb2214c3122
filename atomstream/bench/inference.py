"""The benchmark of the analysis: each size of frame, and the start of a process."""

import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atomstream.bench.figures import FrameFigures, InferenceFigures, StartFigures
from atomstream.bench.flops import flop_per_pixel
from atomstream.bench.fresh_process import run_fresh
from atomstream.bench.gemm import gemm_peak
from atomstream.bench.machine import this_machine
from atomstream.bench.mode import Subject, Tick, measure_mode
from atomstream.bench.scenes import PIXEL_SIZE_NM, draw_scene, keep_scene
from atomstream.progress import Report
from inference.device import Device
from inference.model import load_model
from streamer.wire import pack

NOMINAL_PX = 1024
"""What the start is measured with, and larger frames are repeated less than."""
FEWEST_REPEATS = 3
MOST_STARTS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    model: str
    sizes: tuple[int, ...]
    """Rows and columns, in pixels."""
    repeats: int
    threads: int
    device: Device

    def repeats_of(self, size_px: int) -> int:
        """Fewer for frames that take longer."""
        fewer = round(self.repeats * (NOMINAL_PX / size_px) ** 2)
        return min(self.repeats, max(FEWEST_REPEATS, fewer))

    @property
    def start_px(self) -> int:
        """Size of the frame that a process starts with."""
        return NOMINAL_PX if NOMINAL_PX in self.sizes else min(self.sizes)

    @property
    def starts(self) -> int:
        """Processes that are started, one after the other."""
        return min(MOST_STARTS, self.repeats)

    @property
    def steps(self) -> int:
        """Parts of the work, for the progress bar."""
        modes = sum(2 * (self.repeats_of(size) + 1) for size in self.sizes)
        return modes + self.starts


def bench_inference(plan: Plan, report: Report) -> InferenceFigures:
    """All but the peer.

    Raises
    ------
    ModelError
        As for `load_model`.
    """
    machine = this_machine()
    tick = _ticker(plan.steps, report)
    model = load_model(plan.model, plan.threads, plan.device)
    gemm = gemm_peak(plan.threads)
    flops = flop_per_pixel(plan.model)
    subject = Subject(model, plan.model, plan.threads, plan.device, gemm, flops)
    with tempfile.TemporaryDirectory() as folder:
        frames = tuple(
            measure_size(subject, size, plan.repeats_of(size), Path(folder), tick)
            for size in plan.sizes
        )
        start = measure_start(plan, Path(folder), tick)
    return InferenceFigures(
        model=model.id.name,
        model_sha256=model.id.sha256,
        provider=model.provider,
        threads=plan.threads,
        machine=machine,
        gemm=gemm,
        flop_per_pixel=flops,
        frames=frames,
        start=start,
    )


def measure_size(
    subject: Subject, size_px: int, repeats: int, folder: Path, tick: Tick
) -> FrameFigures:
    """One frame, without refinement and with it."""
    scene = draw_scene(size_px)
    file = keep_scene(scene, folder)
    message = pack(scene.frame(), sent_ns=0)
    unrefined, refined = (
        measure_mode(subject, message, file, repeats, tick, refine=refine)
        for refine in (False, True)
    )
    return FrameFigures(
        size_px=size_px,
        field_nm=size_px * PIXEL_SIZE_NM,
        repeats=repeats,
        mirrored=scene.mirrored,
        atoms_there=scene.atoms,
        unrefined=unrefined,
        refined=refined,
    )


def measure_start(plan: Plan, folder: Path, tick: Tick) -> StartFigures:
    """`atomstream analyze` of one frame, a fresh process and session each time."""
    file = keep_scene(draw_scene(plan.start_px), folder)
    taken = []
    for number in range(plan.starts):
        command: Sequence[str | Path] = (
            sys.executable, "-m", "atomstream", "analyze", file,
            "--record", folder / f"session-{number}",
            "--pixel-size", str(PIXEL_SIZE_NM),
            "--model", plan.model, "--threads", str(plan.threads),
            "--device", plan.device,
        )  # fmt: skip
        taken.append(run_fresh(command, plan.threads))
        tick()
    return StartFigures(
        size_px=plan.start_px,
        starts=plan.starts,
        first_result_s=statistics.median(each.first_line_s for each in taken),
        cpu_s=statistics.median(each.cpu_s for each in taken),
        peak_mb=max(each.peak_mb for each in taken),
    )


def _ticker(total: int, report: Report) -> Tick:
    done = iter(range(1, total + 1))
    report(0, total)
    return lambda: report(next(done), total)
