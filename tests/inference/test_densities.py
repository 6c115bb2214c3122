"""Peaks and ridges are where they were drawn."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.densities import (
    LEAST_BANDWIDTH,
    MOST_BANDWIDTH,
    Bins,
    apart,
    bandwidth,
    densities,
    ridges,
    two_peaks,
)

ANGLES = Bins(-60, 60, 120, cyclic=True)
PLAIN = Bins(0, 1, 100)


def drawn(*at: float, bins: Bins, spread: float, each: int = 4000) -> NDArray[np.int64]:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(middle, spread, each) for middle in at])
    return bins.counts(values)


def test_no_value_is_lost_around_a_period() -> None:
    values = np.array([-60.0, 59.9, 60.0, 61.0, -61.0, 179.0, np.nan])
    counts = ANGLES.counts(values)
    assert counts.sum() == 6
    assert counts[:2].tolist() == [2, 1]  # -60 and 60 are the same, 61 is -59
    assert counts[-2:].tolist() == [0, 3]


def test_what_is_beyond_a_range_is_not_counted() -> None:
    assert PLAIN.counts(np.array([-0.1, 0.5, 1.1, np.inf, np.nan])).sum() == 1


@pytest.mark.parametrize("bins", [ANGLES, PLAIN])
def test_each_row_is_a_density(bins: Bins) -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(5, (4, bins.count))
    counts[2] = 0
    density = densities(counts, bins, 0.02)
    integral = density.sum(axis=1) * bins.width
    np.testing.assert_allclose(integral[[0, 1, 3]], 1)
    assert np.isnan(density[2]).all()


@pytest.mark.parametrize("first", [-59.8, -45.0, -0.3, 0.0, 14.5])
def test_the_sublattices_are_found_wherever_the_lattice_points(first: float) -> None:
    counts = drawn(first, first + 60, bins=ANGLES, spread=2.0)
    found = two_peaks(densities(counts, ANGLES, LEAST_BANDWIDTH), ANGLES)
    assert found is not None
    assert apart(*found, ANGLES) == pytest.approx(60, abs=0.5)
    nearest = min(apart(first, peak, ANGLES) for peak in found)
    assert nearest == pytest.approx(0, abs=0.5)


def test_one_peak_is_not_two() -> None:
    counts = drawn(10.0, bins=ANGLES, spread=2.0)
    assert two_peaks(densities(counts, ANGLES, LEAST_BANDWIDTH), ANGLES) is None


def test_a_ridge_follows_what_moves_and_parts() -> None:
    middles = np.linspace(0.3, 0.7, 9)
    rows = [drawn(0.3, middle, bins=PLAIN, spread=0.03) for middle in middles]
    found = ridges(densities(np.array(rows), PLAIN, 0.02), PLAIN)
    parted = [np.sort(found.value[found.row == row]) for row in range(9)]
    assert len(parted[0]) == 1
    for row in (4, 5, 6, 7, 8):
        np.testing.assert_allclose(parted[row], [0.3, middles[row]], atol=0.01)


def test_a_maximum_at_the_end_of_a_range_is_a_ridge() -> None:
    counts = np.arange(100)[None] ** 3
    found = ridges(densities(counts, PLAIN, 0.01), PLAIN)
    assert found.value == pytest.approx([0.995])


def test_noise_makes_no_ridges() -> None:
    counts = np.random.default_rng(3).poisson(400, (5, 100))
    counts[:, 40:60] += 4000
    found = ridges(densities(counts, PLAIN, 0.03), PLAIN)
    assert found.row.tolist() == [0, 1, 2, 3, 4]


def test_few_atoms_are_smoothed_more() -> None:
    def width(each: int) -> float:
        return bandwidth(drawn(0.5, bins=PLAIN, spread=0.1, each=each)[None], PLAIN)

    assert width(30) > 2 * width(100_000)
    assert LEAST_BANDWIDTH <= width(10**6) <= width(5) <= MOST_BANDWIDTH
    nothing = np.zeros((3, 100), np.int64)
    assert bandwidth(nothing, PLAIN) == LEAST_BANDWIDTH
