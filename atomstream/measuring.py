"""A model's figures, measured behind a progress bar and shown as one table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from atomstream.progress import progress_bar
from inference.analyse import Analyser
from inference.card import CARD_FILE, Card, read_card
from inference.catalogue import find_model
from inference.evaluation.evaluate import FULL, QUICK, evaluate
from inference.evaluation.reach import Row
from inference.evaluation.real.frames import real_figures
from inference.evaluation.real.targets import real_rows
from inference.evaluation.targets import rows
from inference.model import Model
from streamer.errors import ModelError, SettingsError
from streamer.session.durable import write_file

VERDICT = {True: "yes", False: "[red]no[/]", None: ""}


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one model."""

    title: str
    figures: Mapping[str, object]
    """All of them, as JSON."""
    rows: tuple[Row, ...]
    """Those that a reader wants."""

    def write(self, path: Path) -> None:
        """All figures as JSON.

        Raises
        ------
        SettingsError
            The file cannot be written.
        """
        write_figures(self.figures, path)


def write_figures(figures: Mapping[str, object], path: Path) -> None:
    """Figures as JSON.

    Raises
    ------
    SettingsError
        The file cannot be written.
    """
    text = json.dumps(figures, indent=2, allow_nan=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"--out {path} cannot be written: {error.strerror}"
        ) from error


def measure_simulated(model: Model, quick: bool) -> Measured:
    """Against the truth of held-out movies."""
    with progress_bar("measuring") as report:
        figures = evaluate(Analyser(model), QUICK if quick else FULL, report)
    title = f"{model.id.name} on simulated frames"
    return Measured(title, figures.as_json(), tuple(rows(figures)))


def measure_real(model: Model, folder: Path) -> Measured:
    """On real frames, against their labels and against themselves.

    Raises
    ------
    StackError
        As for `real_figures`.
    """
    with progress_bar("measuring") as report:
        figures = real_figures(Analyser(model), folder, report)
    everything = {recording.name: recording.as_json() for recording in figures}
    title = f"{model.id.name} on real frames"
    return Measured(title, everything, tuple(real_rows(figures)))


def write_to_card(measured: Measured, name_or_folder: str) -> None:
    """Put the figures on the model's card, instead of those that are there.

    Raises
    ------
    ModelError
        The card cannot be written.
    """
    folder = find_model(name_or_folder)
    card = read_card(folder).model_dump() | {"accuracy": measured.figures}
    text = Card.model_validate(card).model_dump_json(indent=2) + "\n"
    try:
        write_file(folder / CARD_FILE, text.encode())
    except OSError as error:
        raise ModelError(
            f"the card in {folder} cannot be written: {error.strerror}"
        ) from error


def print_table(measured: Measured) -> None:
    """On the terminal: what was measured, what it should be, and whether it is."""
    table = Table("", "at", "measured", "to reach", "reached", title=measured.title)
    before = None
    for row in measured.rows:
        if before and row.what != before.what and row.where != before.where:
            table.add_section()
        before = row
        table.add_row(
            row.what,
            row.where,
            f"{row.measured:.4g}",
            str(row.reach or ""),
            VERDICT[row.reached],
        )
    Console().print(table)
