from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashboard.difference import ZERO, difference, refusal
from dashboard.scene import Scene, scene
from streamer.analysis import Analysis, Preview
from streamer.frame import Completeness

type Movie = Callable[[int], Analysis]


def drawn(movie: Movie, image: np.ndarray, low: float, high: float) -> Scene:
    shown = Preview(image.astype(np.uint8), low, high)
    return scene(replace(movie(0), shape=image.shape, preview=shown), {})


def test_a_difference_is_of_values_not_of_grey_levels(movie: Movie) -> None:
    """Two frames of the same values that are stretched differently do not differ."""
    ramp = np.tile(np.arange(0, 100, 4), (25, 1))
    one = drawn(movie, 2 * ramp, 0.0, 255.0)
    other = drawn(movie, ramp, 0.0, 510.0)
    assert (difference(one, other).image == ZERO).all()


def test_a_difference_has_its_sign_its_size_and_zero_in_the_middle(
    movie: Movie,
) -> None:
    flat = np.full((40, 40), 100)
    changed = flat.copy()
    changed[:10], changed[10:20] = 140, 80
    found = difference(drawn(movie, changed, 0, 255), drawn(movie, flat, 0, 255))
    assert found.limit == pytest.approx(40)
    told = (found.image[[5, 15, 30], 0].astype(float) - ZERO) / ZERO * found.limit
    assert told == pytest.approx([40, -20, 0], abs=0.2)


def test_a_frame_does_not_differ_from_itself(movie: Movie) -> None:
    shown = scene(movie(0), {})
    found = difference(shown, shown)
    assert (found.image == ZERO).all()
    assert found.limit > 0


def test_of_a_partial_frame_the_rows_that_were_scanned_are_compared(
    movie: Movie,
) -> None:
    half = replace(movie(0), completeness=Completeness.PARTIAL, rows_so_far=96)
    found = difference(scene(half, {}), scene(movie(0), {}))
    assert found.image.shape == (96, 192)
    assert (found.image == ZERO).all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, "", id="same place"),
        pytest.param({"origin_nm": (0.005, 0.0)}, "", id="a third of a pixel away"),
        pytest.param(
            {"shape": (96, 192)},
            "it has 96 \N{MULTIPLICATION SIGN} 192 pixels, this one 192 "
            "\N{MULTIPLICATION SIGN} 192",
            id="size",
        ),
        pytest.param(
            {"pixel_size_nm": 0.02}, "it is 3.84 nm wide, this one 3", id="pixel size"
        ),
        pytest.param(
            {"pixel_size_nm": None}, "only one of the two has a pixel size", id="none"
        ),
        pytest.param(
            {"origin_nm": (0.0, 1.0)}, "it shows another part of the sample", id="part"
        ),
    ],
)
def test_frames_that_do_not_lie_on_one_another_are_refused_in_words(
    movie: Movie, change: dict[str, object], reason: str
) -> None:
    other = scene(replace(movie(3), **change), {})
    said = refusal(scene(movie(0), {}), other)
    assert said == (f"Frame 3 cannot be taken away: {reason}" if reason else "")
