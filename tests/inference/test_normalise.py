import numpy as np
import pytest
from numpy.typing import NDArray

from inference.normalise import BRIGHTEST, normalise


def noise(seed: int = 1) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.poisson(8, (200, 240)).astype(np.float32)


def test_grey_values_get_zero_mean_and_unit_deviation() -> None:
    image = normalise(noise())
    assert image.dtype == np.float32
    assert image.mean() == pytest.approx(0, abs=0.02)
    assert image.std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("offset", [-1000.0, 0.0, 50.0, 1e5])
@pytest.mark.parametrize("gain", [1e-6, 0.3, 1.0, 4096.0])
def test_neither_offset_nor_gain_matters(gain: float, offset: float) -> None:
    scaled = normalise((noise() + np.float32(offset)) * np.float32(gain))
    np.testing.assert_allclose(scaled, normalise(noise()), atol=0.02)


@pytest.mark.parametrize("value", [1e3, 65535.0, 1e12, 1e30, -1e3, -65535.0, -1e30])
@pytest.mark.parametrize("count", [1, 48], ids=["one", "one in a thousand"])
def test_hot_and_dead_pixels_do_not_matter(count: int, value: float) -> None:
    clean, image = noise(), noise()
    spoilt = np.random.default_rng(2).choice(image.size, count, replace=False)
    image.ravel()[spoilt] = value
    rest = np.ones(image.size, bool)
    rest[spoilt] = False
    here, there = normalise(image).ravel(), normalise(clean).ravel()
    np.testing.assert_allclose(here[rest], there[rest], atol=0.03)
    np.testing.assert_array_equal(here[spoilt], np.copysign(BRIGHTEST, value))


@pytest.mark.parametrize(
    ("share", "shift"), [(0.01, 0.05), (0.03, 0.1), (0.06, 0.2)], ids=str
)
def test_a_bright_patch_hardly_matters(share: float, shift: float) -> None:
    clean, image = noise(), noise()
    rows = round(share * len(image))
    image[:rows] = image[:rows] * 5 + 10  # contamination of several layers
    rest = normalise(image)[rows:]
    np.testing.assert_allclose(rest, normalise(clean)[rows:], atol=4 * shift)
    assert rest.mean() == pytest.approx(0, abs=shift)
    assert rest.std() == pytest.approx(1, abs=shift)


PIXEL_NM = 0.02


def sheet(vacuum_from: int = 240, dose: float = 1.0) -> NDArray[np.float32]:
    """A hexagonal lattice of atoms, turned, with noise and vacuum to its right."""
    rows, cols = np.indices((200, 240)) * PIXEL_NM
    waves = [
        np.cos(2 * np.pi / 0.213 * (rows * np.cos(turn) + cols * np.sin(turn)))
        for turn in np.radians([7, 67, 127])
    ]
    # 0 in the middle of a hexagon, 2.5 at an atom, 1 on average.
    signal = (3 - np.sum(waves, axis=0)) / 3
    signal[:, vacuum_from:] = 0
    counts = np.random.default_rng(1).poisson(dose * (8 * signal + 1))
    return counts.astype(np.float32)


@pytest.mark.parametrize("times", [5, 20, 100, 1e4, 1e8], ids=str)
@pytest.mark.parametrize("share", [0.06, 0.12, 0.2, 0.3], ids=str)
@pytest.mark.parametrize("offset", [0.0, -300.0])
def test_contamination_of_a_third_of_the_image_does_not_matter(
    share: float, times: float, offset: float
) -> None:
    clean, image = sheet(), sheet()
    rows = round(share * len(image))
    thick = np.random.default_rng(2).poisson(times * 8, image[:rows].shape)
    image[:rows] += thick
    hot = np.random.default_rng(3).choice(image.size, 48, replace=False)
    image.ravel()[hot] = 1e6 * times
    rest = np.zeros(image.shape, bool)
    rest[rows:] = True
    rest.ravel()[hot] = False
    here = normalise(image + np.float32(offset), PIXEL_NM)[rest]
    there = normalise(clean, PIXEL_NM)[rest]
    np.testing.assert_allclose(here, there, atol=0.4)
    assert here.mean() == pytest.approx(0, abs=0.1)
    assert here.std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("times", [5, 100, 1e4], ids=str)
@pytest.mark.parametrize("share", [0.05, 0.3], ids=str)
def test_nor_does_that_of_a_patch_with_a_soft_rim(share: float, times: float) -> None:
    clean, image = sheet(), sheet()
    rows, cols = np.indices(image.shape)
    beyond_px = np.hypot(rows - 100, cols - 120) - np.sqrt(share / np.pi * image.size)
    added = times * 8 / (1 + np.exp(np.minimum(beyond_px, 50)))
    rest = added < 0.01
    here = normalise(image + added.astype(np.float32), PIXEL_NM)[rest]
    np.testing.assert_allclose(here, normalise(clean, PIXEL_NM)[rest], atol=0.5)


@pytest.mark.parametrize("dose", [0.1, 1.0, 100.0], ids=str)
@pytest.mark.parametrize("vacuum_from", [240, 150, 60, 24], ids=str)
def test_a_clean_sheet_in_vacuum_is_scaled_as_if_nothing_were_looked_for(
    vacuum_from: int, dose: float
) -> None:
    image = sheet(vacuum_from, dose)
    np.testing.assert_array_equal(normalise(image, PIXEL_NM), normalise(image))


@pytest.mark.parametrize("value", [0.0, 0.1, -3.0, 1e30])
def test_a_constant_image_is_all_zero(value: float) -> None:
    assert not normalise(np.full((40, 50), value, np.float32)).any()


@pytest.mark.parametrize("place", [(20, 20), (21, 21)], ids=["sampled", "not sampled"])
def test_a_constant_image_with_one_hot_pixel_has_no_contrast(
    place: tuple[int, int],
) -> None:
    image = np.full((40, 50), 0.1, np.float32)
    image[place] = 1e6
    assert not normalise(image).any()


def test_hot_pixels_beyond_float32_are_cut_off() -> None:
    image = noise() * np.float32(1e-12)
    image[7, 8] = 1e30
    assert normalise(image)[7, 8] == BRIGHTEST


@pytest.mark.parametrize("contrast", [1e-45, 1e-42, 1e-38, 1e-30])
def test_the_smallest_of_numbers_stay_finite(contrast: float) -> None:
    image = np.zeros((40, 50), np.float32)
    image[::3, ::2] = contrast
    assert np.isfinite(normalise(image)).all()
    assert np.isfinite(normalise(image, PIXEL_NM)).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 2)])
def test_any_size_will_do(shape: tuple[int, int]) -> None:
    image = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    assert np.isfinite(normalise(image)).all()
    assert np.isfinite(normalise(image, PIXEL_NM)).all()


def test_the_image_itself_is_left_alone() -> None:
    image = noise()
    normalise(image)
    np.testing.assert_array_equal(image, noise())
