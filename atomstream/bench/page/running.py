"""The benchmark of the live page as the command line runs it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from atomstream.bench.page.figures import PageFigures
from atomstream.bench.page.measure import Plan, bench_page
from atomstream.bench.page.targets import rows
from atomstream.measuring import Measured, print_table
from atomstream.progress import Report, progress_bar
from inference.evaluation.json_figures import as_json


def run_page(plan: Plan, out: Path | None) -> None:
    """Measure, write all figures to `out`, and print them.

    Raises
    ------
    SettingsError, LinkError
        A part fails, or `out` cannot be written.
    """
    with ExitStack() as bars:

        def bar(name: str) -> Report:
            bars.close()
            return bars.enter_context(progress_bar(name))

        figures = bench_page(plan, bar)
    measured = Measured("the live page", as_json(asdict(figures)), tuple(rows(figures)))
    if out:
        measured.write(out)
    for line in remarks(figures):
        Console().print(line)
    print_table(measured)


def remarks(figures: PageFigures) -> Iterator[str]:
    """What a reader must know of the figures."""
    machine = figures.machine
    yield (
        f"{machine.processor}, {machine.cores} cores; frames of {figures.size_px}², "
        f"{figures.atoms} atoms"
    )
    if machine.busy:
        yield (
            f"[yellow]others were at work (load average {machine.load_average:.1f}): "
            "times are too long[/]"
        )
    if figures.seen is None:
        yield "[yellow]no browser was measured: apt-get install chromium[/]"
    elif figures.seen.skipped:
        yield f"{figures.seen.skipped} of {figures.seen.frames} frames were skipped"
