"""No atom is lost in a histogram, and those of frames add up."""

import math

import numpy as np
import pytest

from streamer.histogram import BINS, Histogram, histogram


def test_every_value_is_counted_once_wherever_it_lies() -> None:
    values = [-0.5, -math.inf, 0.0, 0.999, 32.0, 64.0, 64.001, 1e9, math.inf, math.nan]
    found = histogram(np.array(values, np.float32), 0.0, float(BINS))
    expected = dict.fromkeys(range(BINS), 0) | {0: 2, 32: 1, BINS - 1: 1}
    assert dict(enumerate(found.counts)) == expected
    assert (found.below, found.above, found.unknown) == (2, 3, 1)
    assert found.atoms == len(values)


def test_bins_lie_between_their_edges() -> None:
    values = np.random.default_rng(1).normal(0, 2, 1000)
    found = histogram(values, -3.0, 3.0)
    np.testing.assert_allclose(found.edges, np.linspace(-3, 3, BINS + 1))
    inside = [
        int(((values >= low) & (values < high)).sum())
        for low, high in zip(found.edges[:-1], found.edges[1:], strict=True)
    ]
    assert list(found.counts) == inside


def test_those_of_two_frames_add_up_to_that_of_all_their_atoms() -> None:
    one, other = np.random.default_rng(1).normal(0, 2, (2, 500))
    one[:3] = math.nan
    both = histogram(np.concatenate([one, other]), -3.0, 3.0)
    assert histogram(one, -3.0, 3.0) + histogram(other, -3.0, 3.0) == both
    assert both.unknown == 3
    assert both.below > 0 < both.above


@pytest.mark.parametrize(
    "other",
    [Histogram(0.0, 2.0, (1, 1)), Histogram(-1.0, 1.0, (1, 1)),
     Histogram(0.0, 1.0, (1, 1, 1))],
)  # fmt: skip
def test_what_was_counted_in_other_bins_cannot_be_added(other: Histogram) -> None:
    with pytest.raises(ValueError, match=r"^bins \(low, high, number\) differ"):
        Histogram(0.0, 1.0, (1, 1)) + other
