"""The short form of `atomstream evaluate`, held in every change.

The long form (all doses, pixel sizes and stages of two movies) is on the model's card
and in docs/models.md.
"""

import math
from typing import Any

import pytest

from inference.analyse import Analyser
from inference.catalogue import DEFAULT
from inference.evaluation.evaluate import QUICK, Figures, evaluate
from inference.evaluation.order import OrderFigures
from inference.evaluation.positions import PositionFigures
from inference.evaluation.reach import Row
from inference.evaluation.scoring import Score
from inference.evaluation.targets import rows
from inference.model import load_model

NOT_YET = {("slope", "random 15 pm, 1/4 dose")}
"""0.87 here and in the long form, where 0.93 is asked: a fit of so few counts that
starts at the lattice's sites stays a little with them."""
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
    missed = {(row.what, row.where): row.measured for row in judged if not row.reached}
    assert missed.keys() == NOT_YET, missed


def test_something_is_judged(judged: list[Row]) -> None:
    named = {row.what for row in judged}
    assert {"F1", "slope", "RMSD / bound", "within one sigma"} <= named


def test_its_card_says_what_the_long_form_reached() -> None:
    missed = {
        (row.what, row.where) for row in rows(on_the_card()) if row.reached is False
    }
    assert missed == NOT_YET


def test_its_card_agrees_with_what_is_measured_here(figures: Figures) -> None:
    """Other frames and fewer of them: near, not equal."""
    card = on_the_card()
    for name, score in figures.frames.items():
        assert score.f1 == pytest.approx(card.frames[name].f1, abs=0.008)
    assert figures.equivariance_deg == pytest.approx(card.equivariance_deg, rel=0.4)
    # At a quarter of the dose the slopes of single frames scatter by 0.015.
    for name, found in figures.positions.items():
        assert found.slope == pytest.approx(card.positions[name].slope, abs=0.045)


def on_the_card() -> Figures:
    accuracy: Any = load_model(DEFAULT).card.accuracy

    def each[T](part: str, kind: type[T]) -> dict[str, T]:
        return {
            name: kind(**{key: known(value) for key, value in row.items()})
            for name, row in accuracy[part].items()
        }

    return Figures(
        frames=each("frames", Score),
        order=each("order", OrderFigures),
        equivariance_deg=accuracy["equivariance_deg"],
        positions=each("positions", PositionFigures),
    )


def known(value: float | None) -> float:
    return math.nan if value is None else value
