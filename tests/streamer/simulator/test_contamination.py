import math

import numpy as np
import pytest

from streamer.simulator.contamination import Blob, settle_blob

ROUND = Blob((3.0, 2.0), 1.0, np.zeros((3, 2)), 5.0)


def test_a_blob_without_ripples_covers_a_disc() -> None:
    xy = np.random.default_rng(1).uniform(0, 6, (5000, 2))
    within = np.hypot(*(xy - [3.0, 2.0]).T) < 1.0
    np.testing.assert_array_equal(ROUND.covers(xy), within)


def test_ripples_move_the_outline() -> None:
    waves = np.array([[0.0, 0.0], [0.2, 0.0], [0.0, 0.0]])  # 1 + 0.2 cos 2θ
    blob = Blob((0.0, 0.0), 1.0, waves, 1.0)
    points = np.array([[1.19, 0.0], [1.21, 0.0], [0.0, 0.79], [0.0, 0.81]])
    assert blob.covers(points).tolist() == [True, False, True, False]


def test_its_atoms_are_as_dense_as_its_layers_of_carbon() -> None:
    rng = np.random.default_rng(1)
    counts = [len(ROUND.atoms(rng)) for _ in range(50)]
    expected = 5 * 38.2 * math.pi
    assert np.mean(counts) == pytest.approx(expected, abs=4 * math.sqrt(expected / 50))
    assert ROUND.covers(ROUND.atoms(rng)).all()


def test_a_blob_of_no_size_is_a_clean_sheet() -> None:
    rng = np.random.default_rng(1)
    clean = settle_blob(8.0, 0.0, 5.0, rng)
    assert len(clean.atoms(rng)) == 0
    assert not clean.covers(np.array([clean.centre_nm])).any()


def test_it_grows_where_it_is() -> None:
    grown = ROUND.grown(1.5)
    assert grown.radius_nm == 1.5
    assert (grown.centre_nm, grown.layers) == (ROUND.centre_nm, ROUND.layers)


@pytest.mark.parametrize("seed", range(8))
def test_it_settles_at_the_border_and_holds_all_its_atoms(seed: int) -> None:
    blob = settle_blob(8.0, 1.6, 5.0, np.random.default_rng(seed))
    assert min(min(abs(side), abs(8 - side)) for side in blob.centre_nm) == 0
    angle = np.linspace(0, 2 * math.pi, 360)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 2 * blob.radius_nm
    assert not blob.covers(ring + blob.centre_nm).any()  # no ripple is cut off
