"""The short form of `atomstream evaluate`, held in every change.

The long form (all doses, pixel sizes and stages of two movies) is on the model's card
and in docs/models.md.
"""

import math

import pytest

from inference.analyse import Analyser
from inference.catalogue import DEFAULT
from inference.evaluation.evaluate import QUICK, Figures, evaluate
from inference.evaluation.reach import Row
from inference.evaluation.targets import rows
from inference.model import load_model

LEFT_OUT = ("order, Spearman", "Si precision", "Si recall")
"""Two frames show too little disorder and too few Si to judge these."""


@pytest.fixture(scope="module")
def figures() -> Figures:
    return evaluate(Analyser(load_model(DEFAULT)), QUICK, lambda *_: None)


@pytest.fixture(scope="module")
def judged(figures: Figures) -> list[Row]:
    return [
        row
        for row in rows(figures)
        if row.reach is not None
        and row.what not in LEFT_OUT
        and not math.isnan(row.measured)
    ]


@pytest.mark.timeout(600)
def test_the_shipped_model_reaches_what_it_should(judged: list[Row]) -> None:
    missed = [
        f"{row.what}, {row.where}: {row.measured:.4g}, not {row.reach}"
        for row in judged
        if not row.reached
    ]
    assert not missed


def test_something_is_judged(judged: list[Row]) -> None:
    named = {row.what for row in judged}
    assert {"F1", "slope", "RMSD / bound", "within one sigma"} <= named


def test_its_card_has_the_long_form(figures: Figures) -> None:
    accuracy = load_model(DEFAULT).card.accuracy
    assert accuracy.keys() == figures.as_json().keys()
