import math

import numpy as np
import pytest

from streamer.lattice import lattice_drift_percent

NOTHING = math.nan


@pytest.mark.parametrize(
    ("constant_nm", "pixel_size_nm", "estimated", "percent"),
    [
        pytest.param([], [], [], [], id="no frame"),
        pytest.param([0.25, 0.2525, 0.245], [0.02] * 3, [0] * 3, [0, 1, -2], id="nm"),
        pytest.param(
            [0.25, 0.2525], [0.02, 0.01], [0, 0], [0, 1], id="another magnification"
        ),
        pytest.param(
            [NOTHING, 0.25, NOTHING, 0.24],
            [0.02] * 4, [0] * 4,
            [NOTHING, 0, NOTHING, -4],
            id="no lattice in the first frame",
        ),
        pytest.param(
            [NOTHING] * 2, [NOTHING] * 2, [0] * 2, [NOTHING] * 2, id="no lattice"
        ),
        pytest.param(
            [0.246, 0.246], [0.0200, 0.0198], [1, 1], [0, 100 / 99], id="pixels"
        ),
        pytest.param(
            [0.25, 0.246, 0.2525, 0.246],
            [0.02, 0.02, 0.02, 0.025],
            [0, 1, 0, 1],
            [0, 0, 1, -20],
            id="each kind by itself",
        ),
    ],
)  # fmt: skip
def test_drift_counts_from_the_first_frame_that_shows_a_lattice(
    constant_nm: list[float],
    pixel_size_nm: list[float],
    estimated: list[int],
    percent: list[float],
) -> None:
    found = lattice_drift_percent(
        np.array(constant_nm), np.array(pixel_size_nm), np.array(estimated, bool)
    )
    np.testing.assert_allclose(found, percent, atol=1e-9)
