"""The frames that are measured are what the figures say they are."""

import numpy as np
import pytest

from atomstream.bench import scenes
from atomstream.bench.scenes import draw_scene


def test_a_frame_covers_its_field_at_the_papers_pixel_size() -> None:
    frame = draw_scene(128).frame()
    assert frame.shape == (128, 128)
    assert frame.pixel_size_nm == 16 / 1024


def test_a_frame_is_full_of_atoms() -> None:
    # graphene has 38.2 atoms a nm²; some are missing, some under contamination
    assert 25 < draw_scene(256).atoms / 4.0**2 < 38.5


def test_the_same_frame_is_drawn_each_time() -> None:
    np.testing.assert_array_equal(draw_scene(96).image, draw_scene(96).image)


@pytest.mark.parametrize("size_px", [192, 191])
def test_a_large_frame_is_a_smaller_one_mirrored(
    monkeypatch: pytest.MonkeyPatch, size_px: int
) -> None:
    quarter = draw_scene(96)
    monkeypatch.setattr(scenes, "LARGEST_SIMULATED_PX", 128)
    whole = draw_scene(size_px)
    assert whole.mirrored
    assert not quarter.mirrored
    assert whole.image.shape == (size_px, size_px)
    np.testing.assert_array_equal(whole.image[:96, :96], quarter.image)
    np.testing.assert_array_equal(whole.image[:96, 95], whole.image[:96, 96])
    assert 3.8 * quarter.atoms <= whole.atoms <= 4 * quarter.atoms
