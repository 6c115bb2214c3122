"""The scale bar is that of the frame on the screen."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dashboard.hub import Hub
from streamer.analysis import Analysis, Preview
from streamer.atoms import Atoms

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

pytestmark = pytest.mark.browser

LABEL = """() => {
  const {document, plots} = window.Bokeh.documents[0].get_model_by_name("state")
  const text = document.views_manager.find_one(plots[0]).export("svg").ctx
    .get_serialized_svg(true)
  return [...text
    .matchAll(/>(\\d+(?:\\.\\d+)?) ?(nm|pm)</g)].map((found) => found.slice(1))
}"""

NM = {"nm": 1.0, "pm": 1e-3}


def black(movie: Movie, seq: int, side_px: int, pixel_size_nm: float) -> Analysis:
    """A frame on which nothing is but the scale bar."""
    return replace(
        movie(0),
        seq=seq,
        shape=(side_px, side_px),
        pixel_size_nm=pixel_size_nm,
        atoms=Atoms.none(movie(0).model.latents),
        preview=Preview(np.zeros((side_px, side_px), np.uint8), 0.0, 1.0),
    )


def bar_px(screen: "Screen", number: int = 0) -> int:
    """Length of the bar on the screen."""
    white = screen.pixels(number)[:-90].min(axis=2) > 200
    return int(white.sum(axis=1).max())


def test_the_scale_bar_is_right_for_each_frame_whatever_its_pixels(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    screen.page.set_viewport_size({"width": 1920, "height": 1080})
    sizes = [(256, 0.0156), (256, 0.05), (512, 0.004)]
    for seq, (side_px, pixel_nm) in enumerate(sizes):
        hub.add(black(movie, seq, side_px, pixel_nm))
        if seq == 0:
            screen.open()
        screen.wait_for_text("frame", str(seq))
        screen.settle()
        length, unit = screen.page.evaluate(LABEL)[0]
        left, right = (screen.place(0, x, 0)[1] for x in (0, side_px * pixel_nm))
        nm_a_px = side_px * pixel_nm / (right - left)
        said_nm = float(length) * NM[unit]
        assert math.isclose(bar_px(screen) * nm_a_px, said_nm, rel_tol=0.05), seq
