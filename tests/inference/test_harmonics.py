import math

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.harmonics import OFFSET_STEPS, DrawnRings, Rings, turned
from inference.subimages import SubImages

RINGS = Rings(
    radii_nm=(0.142, 0.246, 0.4),
    sigma_nm=0.03,
    max_orders=(4, 6, 9),
    pixel_size_nm=0.04,
)
DRAWN = DrawnRings.of(RINGS)
SPOT_NM = 0.035
ON_A_STEP = (1 / 16, 1 / 16)
"""An offset at which rings are drawn: there nothing is lost to the steps."""


def window(
    spots_nm: list[tuple[float, float]], offset_px: tuple[float, float] = (0.0, 0.0)
) -> SubImages:
    """Spots at (right, up) of an atom that lies off the middle of its window."""
    reach = RINGS.radius_px
    axis = np.arange(-reach, reach + 1) * RINGS.pixel_size_nm
    down, right = (step * RINGS.pixel_size_nm for step in offset_px)
    x, y = axis[None, :] - right, -(axis[:, None] - down)
    image = np.zeros((len(axis), len(axis)))
    for spot_x, spot_y in spots_nm:
        square = (x - spot_x) ** 2 + (y - spot_y) ** 2
        image += np.exp(-0.5 * square / SPOT_NM**2)
    return subimages_of(image[None].astype(np.float32), np.array([offset_px]))


def spots(radius_nm: float, count: int, start_rad: float) -> list[tuple[float, float]]:
    """Spots on a circle, counter-clockwise on the screen from `start_rad`."""
    angles = start_rad + 2 * math.pi * np.arange(count) / count
    return [(radius_nm * math.cos(a), radius_nm * math.sin(a)) for a in angles]


def pattern(turn_rad: float) -> list[tuple[float, float]]:
    """A pattern without any symmetry, turned counter-clockwise."""
    return [
        *spots(0.142, 3, turn_rad + 0.3),
        *spots(0.25, 1, turn_rad + 1.1),
        *spots(0.38, 1, turn_rad - 2.0),
        *spots(0.40, 4, turn_rad + 0.7),
    ]


def subimages_of(
    windows: NDArray[np.float32], offset: NDArray[np.float64]
) -> SubImages:
    """As if each had been cut from a map of its own."""
    count = len(windows)
    middle = np.stack([np.arange(count), np.zeros(count, np.intp)], axis=1)
    return SubImages(windows[:, None], middle, offset, np.zeros(count, bool))


def described(subimages: SubImages) -> NDArray[np.complex64]:
    return DRAWN.harmonics(subimages)[0]


ORDERS = np.array([order for _, order in RINGS.features])


def test_features_go_through_the_rings_and_their_orders() -> None:
    assert RINGS.features[:6] == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0)]
    assert len(RINGS.features) == 5 + 7 + 10
    side = 2 * RINGS.radius_px + 1
    assert DRAWN.bases.shape == (OFFSET_STEPS**2, side**2, 2 * 22)


@pytest.mark.parametrize("start_deg", [0, 30, 90, 100, -45])
def test_three_spots_have_the_phase_of_their_direction(start_deg: float) -> None:
    # One spot at θ and two at θ ± 120° have c₃ along e^{-3iθ}, θ counter-clockwise.
    start = math.radians(start_deg)
    value = described(window(spots(0.142, 3, start), ON_A_STEP))
    three = value[RINGS.features.index((0, 3))]
    assert np.angle(three * np.exp(3j * start)) == pytest.approx(0, abs=1e-2)
    for order in (1, 2, 4):
        other = value[RINGS.features.index((0, order))]
        assert abs(other) < 0.02 * abs(three)


def test_a_spot_straight_up_is_at_ninety_degrees() -> None:
    image = np.zeros((1, 2 * RINGS.radius_px + 1, 2 * RINGS.radius_px + 1), np.float32)
    image[0, RINGS.radius_px - 4, RINGS.radius_px] = 1  # four rows above the middle
    up = subimages_of(image, np.zeros((1, 2)))
    # Rings are drawn about offsets in steps: the nearest is 1/16 px off the middle.
    first = described(up)[RINGS.features.index((0, 1))]
    assert np.angle(first) == pytest.approx(-math.pi / 2, abs=0.02)


@pytest.mark.parametrize("ring", range(3))
def test_order_nought_is_the_mean_on_the_ring(ring: int) -> None:
    side = 2 * RINGS.radius_px + 1
    even = subimages_of(np.full((1, side, side), 0.7, np.float32), np.zeros((1, 2)))
    value = described(even)[RINGS.features.index((ring, 0))]
    assert value == pytest.approx(0.7, abs=1e-5)


@pytest.mark.parametrize("turn_deg", [1, 17, 60, 90, 131, 180, -77])
def test_a_turn_of_the_pattern_is_a_turn_of_the_phases(turn_deg: float) -> None:
    turn = math.radians(turn_deg)
    straight = described(window(pattern(0.0), ON_A_STEP))
    found = described(window(pattern(turn), ON_A_STEP))
    tolerance = 5e-3 * np.abs(straight).max()
    np.testing.assert_allclose(
        found, straight * np.exp(-1j * ORDERS * turn), atol=tolerance
    )
    by_phase = turned(straight[None], np.array([turn], np.float32), RINGS)[0]
    np.testing.assert_allclose(found, by_phase, atol=tolerance)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_quarter_turn_of_the_pixels_is_exact(turns: int) -> None:
    # The middle of a step goes to the middle of a step.
    straight = window(pattern(0.0), ON_A_STEP)
    offset = complex(straight.offset[0, 1], -straight.offset[0, 0]) * 1j**turns
    quarter = subimages_of(
        np.rot90(straight.windows(), turns, axes=(1, 2)).copy(),
        np.array([[-offset.imag, offset.real]]),
    )
    phase = np.exp(-1j * ORDERS * turns * math.pi / 2)
    np.testing.assert_allclose(
        described(quarter), described(straight) * phase, atol=1e-5
    )


@pytest.mark.parametrize(
    "offset", [(0.5, 0.5), (-0.5, 0.49), (0.31, -0.2), (0.06, 0.0), (0.0, -0.44)]
)
def test_where_the_atom_lies_in_its_pixel_hardly_matters(
    offset: tuple[float, float],
) -> None:
    # Rings are drawn at the nearest of 8 x 8 offsets, so up to 1/16 pixel is left.
    centred = described(window(pattern(0.2), ON_A_STEP))
    found = described(window(pattern(0.2), offset))
    assert np.abs(found - centred).max() < 0.04 * np.abs(centred).max()
    three = RINGS.features.index((0, 3))
    turn = np.angle(found[three] / centred[three]) / 3
    assert abs(turn) < math.radians(0.15)


def test_taking_the_offset_for_nought_would_matter() -> None:
    centred = described(window(pattern(0.2), ON_A_STEP))
    careless = window(pattern(0.2), (0.5, -0.5))
    careless.offset[:] = 0
    assert np.abs(described(careless) - centred).max() > 0.1 * np.abs(centred).max()


def test_nothing_beyond_the_disc_is_seen() -> None:
    side = 2 * RINGS.radius_px + 1
    rows, cols = np.indices((side, side)) - RINGS.radius_px
    corners = np.hypot(rows, cols) > RINGS.radius_px * 1.05
    subimages = subimages_of(corners[None].astype(np.float32), np.zeros((1, 2)))
    assert np.abs(described(subimages)).max() < 0.03


def test_many_are_described_as_each_alone() -> None:
    rng = np.random.default_rng(1)
    side = 2 * RINGS.radius_px + 1
    offset = rng.uniform(-0.5, 0.5, (100, 2))
    together = subimages_of(rng.random((100, side, side), np.float32), offset)
    value = DRAWN.harmonics(together)
    assert value.shape == (100, 22)
    for one in range(0, 100, 7):
        here = slice(one, one + 1)
        alone = subimages_of(together.windows(here), together.offset[here])
        np.testing.assert_allclose(described(alone), value[one], atol=1e-5)


def test_no_atoms_have_no_harmonics() -> None:
    side = 2 * RINGS.radius_px + 1
    nobody = subimages_of(np.empty((0, side, side), np.float32), np.empty((0, 2)))
    assert DRAWN.harmonics(nobody).shape == (0, 22)
