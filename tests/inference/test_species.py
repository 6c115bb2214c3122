"""C or Si is decided by a probability, not by which of two numbers is larger."""

import math

import numpy as np
import pytest

from inference.card import SiliconRule
from inference.species import silicon_probability

NO_RULE = SiliconRule()
RULE = SiliconRule(seen=(-2.0, 1.0), measured=(-3.0, 0.5, 4.0))


def probability(share: float, brightness: float, rule: SiliconRule) -> float:
    shares = np.array([share], np.float32)
    return float(silicon_probability(shares, np.array([brightness]), rule)[0])


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("brightness", [math.nan, 0.1, 1.0, 4.0])
def test_without_a_rule_the_share_is_the_probability(
    share: float, brightness: float
) -> None:
    assert probability(share, brightness, NO_RULE) == pytest.approx(share, rel=1e-5)


def test_an_atom_of_unknown_brightness_is_judged_by_its_share() -> None:
    even = 1 / (1 + math.exp(2))
    assert probability(0.5, math.nan, RULE) == pytest.approx(even, rel=1e-5)


def test_the_brightness_decides_where_the_share_does_not() -> None:
    assert probability(0.5, 1.0, RULE) < 0.1
    assert probability(0.5, 4.0, RULE) > 0.9


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("brightness", [math.nan, -1.0, 0.0, 1e9])
def test_extremes_have_a_probability_too(share: float, brightness: float) -> None:
    value = probability(share, brightness, RULE)
    assert 0 <= value <= 1
    if math.isnan(brightness):
        assert (value > 0.5) == (share == 1.0)
