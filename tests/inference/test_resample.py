from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from inference.resample import Grid, grid_for, resample

type Draw = Callable[..., NDArray[np.float32]]

SIGMA_PX = 4.0
SHAPES = [(96, 96), (97, 131), (150, 64)]


def centroid(image: NDArray[np.float32], about: ArrayLike, reach: float) -> list[float]:
    """Centre of gravity of what lies around one place."""
    rows, cols = np.indices(image.shape)
    row, col = np.asarray(about)
    weight = image * (np.hypot(rows - row, cols - col) < reach)
    return [float((axis * weight).sum() / weight.sum()) for axis in (rows, cols)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("target_nm", [0.005, 0.0075, 0.0099, 0.01, 0.0137, 0.02])
def test_what_is_drawn_is_found_where_it_was_drawn(
    draw: Draw, shape: tuple[int, int], target_nm: float
) -> None:
    grid = grid_for(shape, 0.01, target_nm)
    for where in ((40.0, 31.0), (47.3, 29.8), (shape[0] - 30.6, shape[1] - 25.2)):
        resampled = resample(draw(shape, where, SIGMA_PX), grid)
        assert resampled.shape == grid.shape
        assert resampled.dtype == np.float32
        there = grid.to_resampled(np.array([where]))[0]
        found = centroid(resampled, there, 5 * SIGMA_PX / grid.scale.max())
        back = grid.to_frame(np.array([found]))[0]
        np.testing.assert_allclose(back, where, atol=0.02)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("target_nm", [0.004, 0.013, 0.06])
def test_positions_go_to_the_grid_and_back(
    shape: tuple[int, int], target_nm: float
) -> None:
    grid = grid_for(shape, 0.01, target_nm)
    where = np.random.default_rng(1).uniform(-5, 200, (100, 2))
    np.testing.assert_allclose(grid.to_frame(grid.to_resampled(where)), where)


def test_both_grids_cover_the_same_area() -> None:
    grid = Grid((100, 60), (37, 91))
    corners = np.array([[-0.5, -0.5], [36.5, 90.5]])
    np.testing.assert_allclose(grid.to_frame(corners), [[-0.5, -0.5], [99.5, 59.5]])


@pytest.mark.parametrize(
    ("shape", "pixel_size_nm", "resampled"),
    [
        ((1024, 1024), 0.02, (1024, 1024)),
        ((1024, 1024), 0.015625, (800, 800)),
        ((256, 256), 0.0077, (99, 99)),
        ((300, 1000), 0.01, (150, 500)),
        ((5, 5), 1e-9, (1, 1)),
    ],
)
def test_pixels_are_as_near_to_the_target_as_whole_numbers_allow(
    shape: tuple[int, int], pixel_size_nm: float, resampled: tuple[int, int]
) -> None:
    assert grid_for(shape, pixel_size_nm, 0.02).shape == resampled


def test_a_frame_of_the_right_size_is_left_alone() -> None:
    image = np.random.default_rng(1).normal(size=(40, 50)).astype(np.float32)
    assert resample(image, grid_for((40, 50), 0.02, 0.02)) is image


@pytest.mark.parametrize("target_nm", [0.005, 0.013, 0.04])
def test_grey_stays_grey(target_nm: float) -> None:
    grid = grid_for((64, 48), 0.01, target_nm)
    grey = resample(np.full((64, 48), 7.25, np.float32), grid)
    np.testing.assert_allclose(grey, 7.25, rtol=1e-6)


def test_reducing_averages_shot_noise_out() -> None:
    noise = np.random.default_rng(1).poisson(4, (400, 400)).astype(np.float32)
    reduced = resample(noise, grid_for((400, 400), 0.005, 0.02))
    assert reduced.mean() == pytest.approx(4, abs=0.05)
    assert reduced.std() < 2 / 3  # a mean over 4 x 4 pixels would give 2 / 4


def test_reducing_aliases_nothing() -> None:
    stripes = np.tile(np.float32([0, 1]), (90, 45))
    reduced = resample(stripes, grid_for((90, 90), 0.01, 0.03))
    np.testing.assert_allclose(reduced[:, 2:-2], 0.5, atol=0.06)
