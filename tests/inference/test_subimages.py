from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.subimages import cut, shrink, shrunk_position

type Draw = Callable[..., NDArray[np.float32]]

RADIUS_PX = 4
SIDE_PX = 2 * RADIUS_PX + 1
SHAPE = (40, 50)


def ramp() -> NDArray[np.float32]:
    return (1 + np.arange(SHAPE[0] * SHAPE[1], dtype=np.float32)).reshape(SHAPE)


def test_a_window_is_centred_on_the_atoms_pixel() -> None:
    where = np.array([[20.0, 30.0], [10.0, 15.0]])
    windows = cut(ramp(), where, SIDE_PX, SHAPE).windows()
    assert windows.shape == (2, 9, 9)
    np.testing.assert_array_equal(windows[0], ramp()[16:25, 26:35])
    np.testing.assert_array_equal(windows[1], ramp()[6:15, 11:20])


@pytest.mark.parametrize(
    ("where", "offset"),
    [
        ((20.0, 30.0), (0.0, 0.0)),
        ((20.3, 30.4), (0.3, 0.4)),
        ((19.7, 29.6), (-0.3, -0.4)),
        ((20.49, 29.51), (0.49, -0.49)),
    ],
)
def test_the_offset_says_where_in_the_window_the_atom_is(
    draw: Draw, where: tuple[float, float], offset: tuple[float, float]
) -> None:
    cuts = cut(draw(SHAPE, where, 1.5), np.array([where]), SIDE_PX, SHAPE)
    np.testing.assert_allclose(cuts.offset, [offset], atol=1e-6)
    window = cuts.windows()[0]
    rows, cols = np.indices(window.shape) - RADIUS_PX
    centroid = [(axis * window).sum() / window.sum() for axis in (rows, cols)]
    np.testing.assert_allclose(centroid, offset, atol=0.02)


def test_no_offset_exceeds_half_a_pixel() -> None:
    where = np.random.default_rng(1).uniform(0, 39, (500, 2))
    offset = cut(ramp(), where, SIDE_PX, SHAPE).offset
    assert np.abs(offset).max() <= 0.5


def test_windows_come_in_the_order_of_the_atoms() -> None:
    where = np.random.default_rng(1).uniform(5, 34, (50, 2))
    together = cut(ramp(), where, SIDE_PX, SHAPE)
    for number, one in enumerate(where):
        alone = cut(ramp(), one[None], SIDE_PX, SHAPE)
        np.testing.assert_array_equal(alone.windows()[0], together.windows()[number])


def test_beyond_the_frame_there_is_nothing() -> None:
    window = cut(ramp(), np.array([[0.0, 49.0]]), SIDE_PX, SHAPE).windows()[0]
    assert not window[:4].any()
    assert not window[:, 5:].any()
    np.testing.assert_array_equal(window[4:, :5], ramp()[:5, 45:])


@pytest.mark.parametrize(
    ("where", "edge"),
    [
        ((20.0, 20.0), False),
        ((3.5, 20.0), False),
        ((3.4, 20.0), True),
        ((20.0, 3.4), True),
        ((35.5, 20.0), False),
        ((35.6, 20.0), True),
        ((20.0, 45.6), True),
        ((-0.5, -0.5), True),
        ((39.5, 49.5), True),
    ],
)  # fmt: skip
def test_an_atom_whose_disc_leaves_the_frame_is_flagged_and_kept(
    where: tuple[float, float], edge: bool
) -> None:
    cuts = cut(ramp(), np.array([where]), SIDE_PX, SHAPE)
    assert cuts.edge.tolist() == [edge]
    assert cuts.windows().shape == (1, 9, 9)


def test_padding_does_not_count_as_frame() -> None:
    cuts = cut(ramp(), np.array([[28.0, 20.0]]), SIDE_PX, (30.5, 50))
    assert cuts.edge.tolist() == [True]


def test_no_atoms_have_no_windows() -> None:
    cuts = cut(ramp(), np.empty((0, 2)), SIDE_PX, SHAPE)
    assert len(cuts) == 0
    assert cuts.windows().shape == (0, 9, 9)
    assert cuts.edge.shape == (0,)


def test_a_halved_image_has_the_mean_of_four_pixels_in_each() -> None:
    image = np.array([[1, 2, 5, 5], [3, 4, 5, 5]], np.float32)
    np.testing.assert_array_equal(shrink(image, 2), [[2.5, 5.0]])


def test_beyond_an_odd_side_there_is_nothing() -> None:
    np.testing.assert_array_equal(
        shrink(np.full((3, 5), 4, np.float32), 2), [[4, 4, 2], [2, 2, 1]]
    )


@pytest.mark.parametrize("where", [(20.0, 30.0), (21.3, 15.8), (10.5, 40.5)])
def test_atoms_are_found_where_halving_puts_them(
    draw: Draw, where: tuple[float, float]
) -> None:
    half = shrink(draw(SHAPE, where, 2.0), 2)
    rows, cols = np.indices(half.shape)
    centroid = [(axis * half).sum() / half.sum() for axis in (rows, cols)]
    expected = shrunk_position(np.array([where]), 2)[0]
    np.testing.assert_allclose(centroid, expected, atol=2e-3)
