"""A pixel that is far off its neighbours and the frame says nothing of the sample."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.refinement.hot_pixels import without_hot_pixels
from streamer.simulator.microscope import detect, expected_counts, scaled_microscope
from streamer.simulator.sheet import honeycomb


@pytest.fixture(scope="module")
def frame() -> NDArray[np.float32]:
    scope = scaled_microscope(256, 4.0, dose=4)
    sites = (honeycomb(4.2, 0.1) + 2) / scope.pixel_size_nm - 0.5
    weights = np.where(np.arange(len(sites)) % 40 == 3, 6.0, 1.0)
    mean = expected_counts(sites, weights, scope, np.zeros(256))
    return detect(mean, scope, np.random.default_rng(1))


def test_a_frame_of_atoms_stays_as_it_is(frame: NDArray[np.float32]) -> None:
    np.testing.assert_array_equal(without_hot_pixels(frame), frame)


@pytest.mark.parametrize("value", [1e6, -1e6, 1e30, 300.0])
@pytest.mark.parametrize("where", [(0, 0), (255, 100), (120, 130)], ids=str)
def test_a_hot_pixel_becomes_like_its_neighbours(
    frame: NDArray[np.float32], value: float, where: tuple[int, int]
) -> None:
    spoilt = frame.copy()
    spoilt[where] = value
    cured = without_hot_pixels(spoilt)
    assert frame.min() <= cured[where] <= frame.max()
    cured[where] = frame[where]
    np.testing.assert_array_equal(cured, frame)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (40, 40)])
def test_a_constant_frame_stays_constant(shape: tuple[int, int]) -> None:
    frame = np.full(shape, 7, np.float32)
    np.testing.assert_array_equal(without_hot_pixels(frame), frame)
