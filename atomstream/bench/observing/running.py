"""The benchmark of metrics and logs as the command line runs it."""

from dataclasses import asdict
from pathlib import Path

from atomstream.bench.observing.figures import rows
from atomstream.bench.observing.measure import Plan, bench_observing
from atomstream.measuring import Measured, print_table
from atomstream.progress import progress_bar
from inference.evaluation.json_figures import as_json


def run_observing(plan: Plan, out: Path | None) -> None:
    """Measure, write all figures to `out`, and print those that count.

    Raises
    ------
    SettingsError
        The service does not do its work, or `out` cannot be written.
    """
    with progress_bar("measuring", at_once=True) as report:
        figures = bench_observing(plan, report)
    title = "metrics and logs"
    measured = Measured(title, as_json(asdict(figures)), tuple(rows(figures)))
    if out:
        measured.write(out)
    print_table(measured)
