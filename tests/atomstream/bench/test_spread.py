"""Percentiles and ratios with known answers."""

import pytest

from atomstream.bench.peer.figures import ratio
from atomstream.bench.spread import Spread, spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], Spread(7.0, 7.0)),
        ([3.0, 1.0, 2.0], Spread(2.0, 2.98)),
        (list(range(101)), Spread(50.0, 99.0)),
        ([1.0] * 99 + [100.0], Spread(1.0, 1.99)),
    ],
    ids=["one", "three in any order", "a hundred steps", "one outlier"],
)
def test_percentiles_are_interpolated(values: list[float], expected: Spread) -> None:
    found = spread(values)
    assert (found.p50, found.p99) == pytest.approx((expected.p50, expected.p99))


def test_nothing_has_no_percentiles() -> None:
    with pytest.raises(ValueError, match=r"^a spread of nothing$"):
        spread([])


def test_a_ratio_is_the_peers_over_ours() -> None:
    assert ratio(30.0, 2.0) == 15.0
    with pytest.raises(ValueError, match=r"^a ratio to 0$"):
        ratio(30.0, 0)
