"""Figures as tables on the terminal."""

from collections.abc import Iterator

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Column, Table

from atomstream.bench.figures import FrameFigures, InferenceFigures, ModeFigures
from atomstream.bench.spread import Timing

HEADINGS = ("p50", "p99", "CPU p50")
"""Of a frame that is not refined; the same again of one that is."""


def print_frames(figures: InferenceFigures) -> None:
    """A table for each size of frame, after a line about the machine."""
    console = Console()
    machine, gemm = figures.machine, figures.gemm
    console.print(
        f"{figures.model} on {machine.processor}, {figures.threads} threads; "
        f"GEMM {gemm.gflop_s:.0f} GFLOP/s ({gemm.gflop_per_cpu_s:.0f} a CPU second), "
        f"network {figures.flop_per_pixel / 1e3:.1f} kFLOP a pixel"
    )
    if machine.busy:
        console.print(
            f"[yellow]others were at work (load average {machine.load_average:.1f}): "
            "times on the wall's clock are too long[/]"
        )
    for frame in figures.frames:
        console.print(frame_table(frame))


def frame_table(frame: FrameFigures) -> Table:
    """Where the time of a frame goes, in ms."""
    made = " (mirrored)" if frame.mirrored else ""
    title = (
        f"{frame.size_px}²{made}: {frame.atoms_there} atoms, "
        f"{frame.repeats} repeats, ms"
    )
    fitted = (f"fitted {heading}" for heading in HEADINGS)
    first = Column("", no_wrap=True, min_width=15)
    table = Table(first, *HEADINGS, *fitted, title=title, box=SIMPLE, pad_edge=False)
    for stage in frame.refined.stages:
        table.add_row(stage, *_both(frame, stage))
    table.add_section()
    for what in ("frame", "network alone", "encoder alone", "rest"):
        table.add_row(what, *_both(frame, what))
    table.add_section()
    empty = [""] * (len(HEADINGS) - 1)
    figures = zip(*map(_figures, (frame.unrefined, frame.refined)), strict=True)
    for (what, plain), (_, refined_too) in figures:
        table.add_row(what, plain, *empty, refined_too, *empty)
    return table


def _figures(mode: ModeFigures) -> Iterator[tuple[str, str]]:
    """What is no duration."""
    yield "atoms found", f"{mode.atoms}"
    yield "peak memory, MB", f"{mode.peak_mb:.0f}"
    yield "GFLOP/s", f"{mode.network.gflop_s:.1f}"
    yield "of GEMM", f"{mode.network.share_of_gemm:.0%}"
    yield "of GEMM, by CPU", f"{mode.network.share_of_gemm_cpu:.0%}"
    yield "rest, share", f"{mode.rest_share:.0%}"


def _both(frame: FrameFigures, what: str) -> Iterator[str]:
    for mode in (frame.unrefined, frame.refined):
        time = _time(mode, what)
        if time is None:
            yield from [""] * len(HEADINGS)
        else:
            for value in (time.wall_ms.p50, time.wall_ms.p99, time.cpu_ms.p50):
                yield f"{value:.1f}"


def _time(mode: ModeFigures, what: str) -> Timing | None:
    """Of a part, None where there was none."""
    parts = {
        "frame": mode.frame,
        "network alone": mode.network.time,
        "encoder alone": mode.encoder,
        "rest": mode.rest,
    }
    return parts.get(what) or mode.stages.get(what)
