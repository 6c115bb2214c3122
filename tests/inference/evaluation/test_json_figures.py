import json
import math

import pytest

from inference.evaluation.averages import mean_of_numbers
from inference.evaluation.json_figures import as_json
from inference.evaluation.reach import Reach, Row


def test_figures_become_json() -> None:
    figures = {"a": math.nan, "b": 0.123456789, "c": {2.0: (1, None, "x", True)}}
    assert json.loads(json.dumps(as_json(figures), allow_nan=False)) == {
        "a": None,
        "b": 0.12346,
        "c": {"2.0": [1, None, "x", True]},
    }


def test_what_is_no_figure_is_refused() -> None:
    with pytest.raises(TypeError, match="no figure"):
        as_json({"a": {1, 2}})


def test_means_are_of_what_is_known() -> None:
    assert mean_of_numbers([1.0, math.nan, 3.0]) == 2
    assert math.isnan(mean_of_numbers([math.nan]))


@pytest.mark.parametrize(
    ("reach", "value", "reached", "words"),
    [
        (Reach(low=0.5), 0.5, True, "≥ 0.5"),
        (Reach(low=0.5), 0.49, False, "≥ 0.5"),
        (Reach(high=2), 2.1, False, "≤ 2"),
        (Reach(0.9, 1.1), 1.0, True, "0.9 to 1.1"),
        (Reach(0.9, 1.1), math.nan, None, "0.9 to 1.1"),
    ],
)
def test_a_row_says_whether_it_is_reached(
    reach: Reach, value: float, reached: bool | None, words: str
) -> None:
    assert Row("what", "where", value, reach).reached is reached
    assert str(reach) == words
