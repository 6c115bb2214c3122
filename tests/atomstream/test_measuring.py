"""Figures go onto a card, and the card stays that of its files."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atomstream.measuring import Measured, write_to_card
from inference.catalogue import DEFAULT, find_model, verify_model
from streamer.errors import ModelError

type Run = Callable[..., Any]

FIGURES = {"frames": {"nominal dose": {"f1": 0.5, "vacuum_nm2": None}}}


def test_figures_go_onto_the_card_and_nothing_else_changes(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(find_model(DEFAULT), tmp_path / "mine"))
    before = verify_model(folder)
    write_to_card(Measured("mine", FIGURES, ()), str(folder))
    after = verify_model(folder)
    assert after.accuracy == FIGURES
    assert after.model_copy(update={"accuracy": before.accuracy}) == before


def test_a_model_that_is_none_gets_no_figures(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a model"):
        write_to_card(Measured("mine", FIGURES, ()), str(tmp_path))


def test_a_card_of_quick_figures_is_refused(run: Run) -> None:
    outcome = run("evaluate", "--quick", "--card")
    assert outcome.code == 2
    assert "--card" in outcome.err
    assert outcome.err.count("\n") == 1
