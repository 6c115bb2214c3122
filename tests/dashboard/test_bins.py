import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dashboard.bins import BINS, UNKNOWN_BINS, Bins, bins_around, merged

FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=32)
COLUMNS = arrays(np.float32, st.integers(0, 50), elements=FLOATS)


@pytest.mark.parametrize(
    ("value", "index"),
    [
        pytest.param(0.0, 0, id="the lower end belongs to the first bin"),
        pytest.param(0.999, 0, id="just below an edge"),
        pytest.param(1.0, 1, id="an edge belongs to the bin above it"),
        pytest.param(64.0, 63, id="the upper end belongs to the last bin"),
        pytest.param(-5.0, 0, id="below all bins counts in the first"),
        pytest.param(1e9, 63, id="above all bins counts in the last"),
    ],
)
def test_a_value_counts_in_one_bin(value: float, index: int) -> None:
    counts = Bins(0.0, 64.0).count(np.array([value], np.float32))
    assert np.flatnonzero(counts).tolist() == [index]


def test_values_that_are_none_count_nowhere() -> None:
    values = np.array([np.nan, np.inf, -np.inf], np.float32)
    assert Bins(0.0, 1.0).count(values).sum() == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([0.2, 0.8], Bins(0, 1), id="inside: as they were"),
        pytest.param([], Bins(0, 1), id="no values: as they were"),
        pytest.param([1.5], Bins(0, 2), id="above: one doubling upward"),
        pytest.param([-0.5], Bins(-1, 1), id="below: one doubling downward"),
        pytest.param([6.0], Bins(0, 8), id="far above: three doublings"),
        pytest.param([-0.5, 2.5], Bins(-1, 3), id="both sides"),
        pytest.param([0.5] * 5000 + [9.0], Bins(0, 1), id="one stray value: none"),
    ],
)
def test_bins_double_towards_values_that_lie_outside(
    values: list[float], expected: Bins
) -> None:
    assert Bins(0.0, 1.0).widened(np.array(values, np.float32)) == expected


@given(old=COLUMNS, new=COLUMNS)
def test_counts_in_widened_bins_are_those_of_a_fresh_count(
    old: np.ndarray, new: np.ndarray
) -> None:
    inside = old[np.isfinite(old)].clip(-0.9, 0.9)
    narrow = Bins(-1.0, 1.0)
    wide = narrow.widened(new.clip(-1e6, 1e6))
    again = merged(narrow.count(inside), narrow, wide)
    assert again.tolist() == wide.count(inside).tolist()


@given(values=COLUMNS)
def test_no_value_makes_bins_that_cannot_count(values: np.ndarray) -> None:
    bins = (bins_around(values) or UNKNOWN_BINS).widened(values)
    assert bins.count(values).sum() == np.isfinite(values).sum()
    assert merged(bins.count(values), bins, bins.widened(-values)).sum() == (
        np.isfinite(values).sum()
    )


def test_first_bins_hold_all_values_with_room_to_spare() -> None:
    bins = bins_around(np.linspace(0.0, 1.0, 1001))
    assert bins is not None
    assert bins.low == pytest.approx(-0.15, abs=0.01)
    assert bins.high == pytest.approx(1.15, abs=0.01)


def test_equal_values_get_bins_around_them() -> None:
    bins = bins_around(np.full(10, 5.0))
    assert bins is not None
    assert bins.low < 5.0 < bins.high
    assert len(bins.edges) == BINS + 1
