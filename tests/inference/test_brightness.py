import math

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.brightness import Contrast, contrast_of
from inference.honeycomb import honeycomb_of
from streamer.simulator.microscope import Microscope, Probe, expected_counts
from streamer.simulator.sheet import honeycomb

SIDE_PX = 400
PIXEL_NM = 0.0125
FIELD_NM = SIDE_PX * PIXEL_NM
ROOT3 = math.sqrt(3)

type Where = NDArray[np.float64]


def sites() -> tuple[Where, NDArray[np.float64]]:
    """(row, col) of a sheet larger than the frame, and the sublattice, ±1, of each."""
    both = honeycomb(FIELD_NM + 1, 0.0) + FIELD_NM / 2
    # `honeycomb` at angle 0: bonds of one sublattice point down, of the other up.
    phase = (both[:, 1] - FIELD_NM / 2) / 0.142 % 1.5
    kind = np.where(np.minimum(phase, 1.5 - phase) < 0.1, 1.0, -1.0)
    return both[:, ::-1] / PIXEL_NM - 0.5, kind


def drawn(weights: NDArray[np.float64], fwhm_nm: float = 0.1) -> NDArray[np.float32]:
    probe = Probe(fwhm_nm=fwhm_nm, tail_fraction=0.0)
    setting = Microscope((SIDE_PX, SIDE_PX), FIELD_NM, probe=probe)
    return expected_counts(sites()[0], weights, setting, np.zeros(SIDE_PX))


def seen(image: NDArray[np.float32]) -> Contrast:
    where = sites()[0]
    inside = ((where > 0) & (where < SIDE_PX - 1)).all(axis=1)
    return contrast_of(image, honeycomb_of(where[inside], (SIDE_PX, SIDE_PX)))


def gaussians(fwhm_nm: float, distances: list[tuple[float, int]]) -> float:
    """Sum at a place with so many atoms at each distance, in bonds."""
    # The mean of 3 x 3 pixels blurs as well.
    sigma = math.hypot(fwhm_nm / 2.3548, PIXEL_NM * math.sqrt(2 / 3)) / 0.142
    return sum(n * math.exp(-0.5 * (d / sigma) ** 2) for d, n in distances)


def merging_of_sums(fwhm_nm: float) -> float:
    """Known answer: sums over the shells of atoms about each kind of place."""
    atom = gaussians(fwhm_nm, [(0, 1), (1, 3), (ROOT3, 6), (2, 3)])
    between = gaussians(fwhm_nm, [(0.5, 2), (math.sqrt(1.75), 4), (math.sqrt(3.25), 4)])
    hollow = gaussians(fwhm_nm, [(1, 6), (2, 6)])
    return (between - hollow) / (atom - hollow)


@pytest.mark.parametrize("fwhm_nm", [0.075, 0.1, 0.12, 0.14, 0.16, 0.18])
def test_merging_is_that_of_the_probe(fwhm_nm: float) -> None:
    found = seen(drawn(np.ones(len(sites()[0])), fwhm_nm))
    assert found.merging == pytest.approx(merging_of_sums(fwhm_nm), abs=0.03)
    assert found.merging_sigma < 0.01


def test_alternation_is_that_of_the_sublattices() -> None:
    _, kind = sites()
    found = seen(drawn(1 + 0.3 * kind, 0.075))
    assert found.alternation == pytest.approx(1, abs=0.02)
    assert found.alternation_depth == pytest.approx(0.3, abs=0.03)


def test_brightness_of_chance_does_not_alternate() -> None:
    weights = np.random.default_rng(1).normal(1, 0.1, len(sites()[0]))
    # Second neighbours share one neighbour of three each: (1/9) / (4/3).
    assert seen(drawn(weights, 0.075)).alternation == pytest.approx(1 / 12, abs=0.06)


def test_a_few_bright_atoms_do_not_alternate() -> None:
    weights = np.random.default_rng(1).normal(1, 0.02, len(sites()[0]))
    weights[np.random.default_rng(2).choice(len(weights), 20, replace=False)] = 4.2
    assert seen(drawn(weights, 0.075)).alternation < 0.4


@pytest.mark.parametrize(
    ("gain", "offset", "slope"), [(7.0, 0.0, 0.0), (1.0, 1000.0, 0.0), (1.0, 0.0, 0.01)]
)
def test_gain_offset_and_clouds_do_not_matter(
    gain: float, offset: float, slope: float
) -> None:
    _, kind = sites()
    image = drawn(1 + 0.2 * kind)
    clouds = slope * np.arange(SIDE_PX, dtype=np.float32) * image.mean()
    changed = seen((gain * image + np.float32(offset) + clouds).astype(np.float32))
    expected = seen(image)
    assert changed.merging == pytest.approx(expected.merging, abs=0.02)
    assert changed.alternation == pytest.approx(expected.alternation, abs=0.05)
    assert changed.alternation_depth == pytest.approx(
        expected.alternation_depth, abs=0.02
    )


def test_of_what_is_darker_than_its_hollows_nothing_is_said() -> None:
    found = seen(-drawn(np.ones(len(sites()[0]))))
    assert np.isnan(found.merging)
    assert np.isnan(found.alternation)
