"""The benchmark of receiving as the command line runs it: measured, kept, shown."""

from dataclasses import asdict
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from atomstream.bench.peer.environment import KARABO_BRIDGE, default_folder, prepare
from atomstream.bench.stream.figures import StreamFigures
from atomstream.bench.stream.measure import Plan, bench_stream
from atomstream.bench.stream.targets import rows
from atomstream.measuring import Measured, print_table
from atomstream.progress import progress_bar
from inference.evaluation.json_figures import as_json


def run_stream(
    plan: Plan, with_peer: bool, peer_env: Path | None, out: Path | None
) -> None:
    """Measure, write all figures to `out`, and print them.

    Raises
    ------
    SettingsError
        The peer cannot be had, a run fails, or `out` cannot be written.
    """
    environment = None
    if with_peer:
        folder = peer_env or default_folder(KARABO_BRIDGE)
        environment = prepare(folder, KARABO_BRIDGE)
    with progress_bar("measuring", at_once=True) as report:
        figures = bench_stream(plan, environment, report)
    measured = in_short(figures)
    if out:
        measured.write(out)
    print_received(figures)
    print_table(measured)


def in_short(figures: StreamFigures) -> Measured:
    """The figures, and those of them that are to reach something."""
    return Measured("receiving", as_json(asdict(figures)), tuple(rows(figures)))


def print_received(figures: StreamFigures) -> None:
    """A line for each receiver, after one about the machine."""
    console, machine = Console(), figures.machine
    console.print(f"{machine.processor}, {machine.cores} cores, {machine.system}")
    if machine.busy:
        console.print(
            f"[yellow]others were at work (load average {machine.load_average:.1f}): "
            "compare the ratios[/]"
        )
    headings = ("CPU, ms a frame", "latency p50, ms", "p99")
    table = Table("", "", "", *headings, box=SIMPLE, pad_edge=False)
    for each in figures.received:
        table.add_row(
            f"{each.size_px}²",
            each.transport,
            each.receiver,
            f"{each.cpu_ms.p50:.2f}",
            f"{each.latency_ms.p50:.2f}",
            f"{each.latency_ms.p99:.2f}",
        )
    console.print(table)
