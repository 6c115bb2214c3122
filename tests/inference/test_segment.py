import numpy as np
import pytest
from numpy.typing import NDArray

from inference.card import DcnnCard
from inference.segment import segment


class Eye:
    """A network that calls bright pixels C, and remembers what it was shown."""

    def __init__(self) -> None:
        self.seen = np.empty((0, 0), np.float32)

    def __call__(
        self, image: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.seen = image
        return (image > 1).astype(np.float32), np.full_like(image, 0.25)


def noise(shape: tuple[int, int]) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(50, 5, shape).astype(np.float32)


@pytest.mark.parametrize(
    ("shape", "pixel_size_nm", "resampled", "shown"),
    [
        ((64, 64), 0.02, (64, 64), (64, 64)),
        ((65, 70), 0.02, (65, 70), (72, 72)),
        ((256, 256), 0.0077, (99, 99), (104, 104)),
        ((16, 400), 0.02, (16, 400), (16, 400)),
        ((17, 23), 0.02, (17, 23), (24, 24)),
    ],
)
def test_a_network_is_shown_whole_strides_at_its_own_pixel_size(
    dcnn_card: DcnnCard,
    shape: tuple[int, int],
    pixel_size_nm: float,
    resampled: tuple[int, int],
    shown: tuple[int, int],
) -> None:
    eye = Eye()
    maps = segment(noise(shape), pixel_size_nm, dcnn_card, eye)
    assert maps is not None
    assert eye.seen.shape == shown
    assert maps.grid.shape == maps.carbon.shape == maps.silicon.shape == resampled


def test_beyond_the_frame_the_network_is_shown_nothing(dcnn_card: DcnnCard) -> None:
    eye = Eye()
    segment(noise((65, 70)), 0.02, dcnn_card, eye)
    assert eye.seen[:65, :70].all()
    assert not eye.seen[65:].any()
    assert not eye.seen[:, 70:].any()


def test_maps_show_what_the_network_saw_in_the_frame(dcnn_card: DcnnCard) -> None:
    eye = Eye()
    maps = segment(noise((65, 70)), 0.02, dcnn_card, eye)
    assert maps is not None
    np.testing.assert_array_equal(maps.carbon, eye.seen[:65, :70] > 1)


@pytest.mark.parametrize(
    ("shape", "pixel_size_nm"),
    [((15, 400), 0.02), ((64, 64), 0.004), ((1, 1), 0.02), ((1024, 1024), 1e-9)],
    ids=["one side", "small pixels", "one pixel", "no size at all"],
)
def test_a_frame_can_be_too_small(
    dcnn_card: DcnnCard, shape: tuple[int, int], pixel_size_nm: float
) -> None:
    assert segment(noise(shape), pixel_size_nm, dcnn_card, Eye()) is None


@pytest.mark.parametrize("pixel_size_nm", [0.2, 1.0, 1e6, 1e300])
def test_pixels_too_coarse_for_a_lattice_are_not_blown_up(
    dcnn_card: DcnnCard, pixel_size_nm: float
) -> None:
    eye = Eye()
    assert segment(noise((256, 256)), pixel_size_nm, dcnn_card, eye) is None
    assert eye.seen.size == 0
