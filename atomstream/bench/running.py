"""The benchmark of the analysis as the command line runs it: measured, kept, shown."""

from dataclasses import asdict, replace
from pathlib import Path

from atomstream.bench.figures import InferenceFigures
from atomstream.bench.inference import Plan, bench_inference
from atomstream.bench.peer.atomai import check_sizes, measure_atomai
from atomstream.bench.peer.environment import ATOMAI, default_folder, prepare
from atomstream.bench.tables import print_frames
from atomstream.bench.targets import rows
from atomstream.measuring import Measured, print_table
from atomstream.progress import progress_bar
from inference.evaluation.json_figures import as_json


def run_inference(
    plan: Plan, with_peer: bool, peer_env: Path | None, out: Path | None
) -> None:
    """Measure, write all figures to `out`, and print those that a reader wants.

    Raises
    ------
    ModelError
        As for `load_model`.
    SettingsError
        The peer cannot be had, or `out` cannot be written.
    """
    environment = None
    if with_peer:
        check_sizes(plan.sizes)
        # Before anything is measured: it may be that it cannot be had.
        environment = prepare(peer_env or default_folder(ATOMAI), ATOMAI)
    with progress_bar("measuring", at_once=True) as report:
        figures = bench_inference(plan, report)
    measured = in_short(figures)
    if out:
        measured.write(out)
    if environment:
        # Ours are safe by now: the peer takes minutes, and may fail.
        figures = replace(figures, peer=measure_atomai(environment, figures))
        measured = in_short(figures)
        if out:
            measured.write(out)
    print_frames(figures)
    print_table(measured)


def in_short(figures: InferenceFigures) -> Measured:
    """The figures, and those of them that are to reach something."""
    title = f"{figures.model}, {figures.threads} threads"
    return Measured(title, as_json(asdict(figures)), tuple(rows(figures)))
