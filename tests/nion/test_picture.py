"""A picture takes no longer than it may, whatever the calibration says."""

import time
from dataclasses import replace

import numpy as np
import pytest

from atomstream_bridge.picture import MOST_RADIUS_PX, paint, picture_of
from atomstream_bridge.results_settings import ORIENTATION
from tests.nion.drawn_analyses import analysis_of, atoms_at, grid, stream_of

MOST_CPU_S = 3.0
"""Some ten times what it takes; without bounds it would be minutes."""


@pytest.mark.parametrize("count", [0, 300])
def test_atoms_that_would_be_as_large_as_the_image_are_painted_at_once(
    count: int,
) -> None:
    analysis = analysis_of(stream_of("run"), 0, atoms_at(*grid(count), silicon=1))
    began_s = time.thread_time()
    picture = picture_of(replace(analysis, pixel_size_nm=1e-4), ORIENTATION)
    assert time.thread_time() - began_s < MOST_CPU_S
    assert bool(picture.image.any()) is bool(count)


def test_a_disc_has_its_radius_and_none_is_larger_than_the_largest() -> None:
    for asked_px, drawn_px in ((5, 5), (1000, int(MOST_RADIUS_PX))):
        image = np.zeros((101, 101, 3), np.uint8)
        middle = np.array([50.0])
        paint(image, middle, middle, asked_px, np.full((1, 3), 255, np.uint8))
        rows, cols = np.indices((101, 101)) - 50
        assert ((image[..., 0] > 0) == (rows**2 + cols**2 <= drawn_px**2)).all()
