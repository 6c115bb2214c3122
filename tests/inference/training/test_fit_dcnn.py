"""What the segmentation network is shown in training."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra [train]")

from inference.training.fit_dcnn import blank_border


@pytest.mark.parametrize(("below", "right"), [(0, 0), (3, 0), (0, 5), (4, 7)])
def test_beyond_the_frames_end_nothing_is_shown_and_nothing_asked(
    below: int, right: int
) -> None:
    layers = np.random.default_rng(1).uniform(1, 2, (4, 16, 16)).astype(np.float32)
    blank = blank_border(layers, np.array([below, right]))
    inside = np.s_[:, : 16 - below, : 16 - right]
    np.testing.assert_array_equal(blank[inside], layers[inside])
    assert np.count_nonzero(blank) == layers[inside].size
    assert layers.all()
