"""From where the network sees atoms to where they are."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.card import DcnnCard, SiliconRule
from inference.locate import Peaks
from inference.positions import place_by_fit, place_by_network
from inference.resample import Grid
from streamer.simulator.microscope import (
    Microscope,
    detect,
    expected_counts,
    scaled_microscope,
)
from streamer.simulator.movie import background_counts
from streamer.simulator.sheet import honeycomb

SIDE = 320
SETTING: Microscope = scaled_microscope(SIDE, 5.0, dose=4)
PIXEL_NM = SETTING.pixel_size_nm
GRID = Grid((SIDE, SIDE), (250, 250))


@pytest.fixture(scope="module")
def sites() -> NDArray[np.float64]:
    """(N, 2) of a sheet with a hole in its middle, in pixels of the frame."""
    rowcol = (honeycomb(5.0, 0.2) + 2.5) / PIXEL_NM - 0.5
    far = np.linalg.norm(rowcol - SIDE / 2, axis=1) > 40
    return np.asarray(rowcol[far])


@pytest.fixture(scope="module")
def weights(sites: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every fiftieth atom is Si."""
    return np.where(np.arange(len(sites)) % 50 == 7, 4.2, 1.0)


@pytest.fixture(scope="module")
def image(
    sites: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float32]:
    mean = expected_counts(sites, weights, SETTING, np.zeros(SIDE))
    noise = np.random.default_rng(3)
    return detect(mean + np.float32(background_counts(SETTING)), SETTING, noise)


def peaks(sites: NDArray[np.float64], share: float = 0.1) -> Peaks:
    count = len(sites)
    return Peaks(
        GRID.to_resampled(sites),
        np.full(count, 0.9, np.float32),
        np.full(count, share, np.float32),
    )


def test_the_network_alone_gives_no_uncertainty(
    sites: NDArray[np.float64], dcnn_card: DcnnCard
) -> None:
    placed = place_by_network(peaks(sites), GRID, dcnn_card)
    np.testing.assert_allclose(placed.rowcol, sites, atol=1e-9)
    np.testing.assert_array_equal(placed.net, placed.rowcol)
    assert np.isnan(placed.sigma_px).all()


def test_a_position_that_was_seen_wrong_is_measured_right(
    image: NDArray[np.float32], sites: NDArray[np.float64], dcnn_card: DcnnCard
) -> None:
    wrong = sites + np.random.default_rng(1).normal(0, 1.0, sites.shape)
    placed = place_by_fit(image, peaks(wrong), GRID, dcnn_card, PIXEL_NM)
    assert len(placed) == pytest.approx(len(sites), abs=4)
    known = np.isfinite(placed.sigma_px).all(axis=1)
    assert known.mean() > 0.85  # not those beside the border
    seen = np.linalg.norm(placed.net[known][:, None] - wrong, axis=2).argmin(axis=1)
    right = np.linalg.norm(placed.rowcol[known] - sites[seen], axis=1)
    before = np.linalg.norm(wrong[seen] - sites[seen], axis=1)
    assert np.median(right) < 0.6 * np.median(before)
    assert np.median(right) * PIXEL_NM < 0.009


def test_a_false_atom_is_left_out_and_the_network_position_kept(
    image: NDArray[np.float32], sites: NDArray[np.float64], dcnn_card: DcnnCard
) -> None:
    with_false = np.concatenate([sites, [[SIDE / 2, SIDE / 2]]])
    placed = place_by_fit(image, peaks(with_false), GRID, dcnn_card, PIXEL_NM)
    distance = np.linalg.norm(placed.rowcol - SIDE / 2, axis=1)
    assert distance.min() > 20
    np.testing.assert_allclose(GRID.to_frame(placed.on_maps), placed.net, atol=1e-6)


def test_species_follow_the_brightness_that_the_network_did_not_see(
    image: NDArray[np.float32],
    sites: NDArray[np.float64],
    weights: NDArray[np.float64],
    dcnn_card: DcnnCard,
) -> None:
    rule = SiliconRule(seen=(0.0, 1.0), measured=(-4.0, 0.5, 8.0))
    card = dcnn_card.model_copy(update={"silicon": rule})
    placed = place_by_fit(image, peaks(sites), GRID, card, PIXEL_NM)
    nearest = np.linalg.norm(placed.net[:, None] - sites, axis=2).argmin(axis=1)
    inner = (np.abs(sites[nearest] - SIDE / 2) < SIDE / 2 - 12).all(axis=1)
    expected = (weights[nearest] > 2).astype(np.uint8)
    np.testing.assert_array_equal(placed.species[inner], expected[inner])
    by_share = place_by_network(peaks(sites), GRID, card)
    assert not by_share.species.any()
