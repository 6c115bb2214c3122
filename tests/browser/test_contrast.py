"""Contrast of the frame: what a viewer sets, and what the pixels on the screen say."""

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

VALUES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Of six bands, from left to right, in the frame's own units."""

SIDE_PX = 240

SECONDS_TO_PAINT = """async () => {
  const white = document.getElementById("contrast-high")
  const painted = () => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(done)))
  const times = []
  for (const value of [0.9, 0.8, 0.7, 0.6, 0.5]) {
    await painted()
    const begin = performance.now()
    white.value = value
    white.dispatchEvent(new InputEvent("input"))
    await painted()
    times.push(performance.now() - begin)
  }
  return Math.min(...times) / 1000
}"""


def banded(movie: Movie, seq: int, low: float, high: float) -> Analysis:
    """A frame of `VALUES` and nothing else, with that stretch of its greys."""
    levels = np.round(255 * (np.array(VALUES) - low) / (high - low)).astype(np.uint8)
    image = np.repeat(np.tile(levels, (SIDE_PX, 1)), SIDE_PX // len(VALUES), axis=1)
    frame = movie(0)
    return replace(
        frame,
        seq=seq,
        atoms=Atoms.none(frame.model.latents),
        preview=Preview(image, low, high),
    )


def greys(screen: "Screen", frame: Analysis) -> list[int]:
    """What is on the screen for each of `VALUES`."""
    rows, cols = frame.shape
    pixel = frame.pixel_size_nm or 1.0
    band = cols * pixel / len(VALUES)
    shot = screen.whole()
    # Near the bottom, where neither the box nor the scale bar covers the frame.
    places = [
        screen.place(0, (i + 0.5) * band, 0.97 * rows * pixel)
        for i in range(len(VALUES))
    ]
    return [int(shot[place][0]) for place in places]


def test_each_frame_is_stretched_by_its_own_percentiles_until_a_limit_is_set(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    frame = banded(movie, 0, 0.0, 1.0)
    hub.add(frame)
    screen.open()
    assert greys(screen, frame) == [0, 51, 102, 153, 204, 255]
    other = banded(movie, 1, -1.0, 2.0)
    hub.add(other)
    screen.wait_for_text("frame", "1")
    assert greys(screen, other) == [85, 102, 119, 136, 153, 170]


def test_held_limits_show_the_same_value_in_the_same_grey_in_every_frame(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    frame, other = banded(movie, 0, 0.0, 1.0), banded(movie, 1, -1.0, 2.0)
    hub.add(frame)
    screen.open()
    screen.page.click("#contrast")
    assert (
        screen.text("contrast-words") == "of every frame: 0.5 to 99.5 % of its pixels"
    )
    screen.page.fill("#contrast-high", "0.8")
    screen.page.fill("#contrast-low", "0.2")
    assert screen.text("contrast-words") == "held for the next frames"
    expected = [0, 0, 85, 170, 255, 255]
    np.testing.assert_allclose(greys(screen, frame), expected, atol=1)
    hub.add(other)
    screen.wait_for_text("frame", "1")
    np.testing.assert_allclose(greys(screen, other), expected, atol=1)
    assert screen.page.input_value("#contrast-low") == "0.2"
    screen.page.click("#contrast-auto")
    assert greys(screen, other) == [85, 102, 119, 136, 153, 170]
    assert screen.page.input_value("#contrast-low") == "-1"


def test_a_limit_is_dragged_in_the_histogram_and_a_double_click_lets_go(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    frame = banded(movie, 0, 0.0, 1.0)
    hub.add(frame)
    screen.open()
    screen.page.keyboard.press("c")
    box = screen.page.locator("#greys").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    screen.page.mouse.move(box["x"] + 0.96 * box["width"], middle)
    screen.page.mouse.down()
    screen.page.mouse.move(box["x"] + 0.5 * box["width"], middle, steps=3)
    screen.page.mouse.up()
    assert float(screen.page.input_value("#contrast-high")) == pytest.approx(
        0.5, abs=0.02
    )
    assert greys(screen, frame)[2:] == pytest.approx([204, 255, 255, 255], abs=10)
    screen.page.locator("#greys").dblclick()
    assert greys(screen, frame) == [0, 51, 102, 153, 204, 255]


def test_limits_that_make_no_sense_are_marked_and_change_nothing(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    frame = banded(movie, 0, 0.0, 1.0)
    hub.add(frame)
    screen.open()
    screen.page.click("#contrast")
    screen.page.fill("#contrast-low", "3")
    assert screen.page.locator("#contrast-low:invalid").count() == 1
    assert greys(screen, frame) == [0, 51, 102, 153, 204, 255]


def test_the_histogram_has_a_peak_where_the_pixels_are(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(banded(movie, 0, 0.0, 1.0))
    screen.open()
    screen.page.click("#contrast")
    shot = screen.whole()
    box = screen.page.locator("#greys").bounding_box()
    assert box is not None
    row = int(box["y"] + 0.4 * box["height"])
    across = shot[row, int(box["x"]) : int(box["x"] + box["width"])].astype(int)
    ground = across[int(0.13 * len(across))]
    lit = np.abs(across - ground).sum(axis=1) > 60
    at = [(0.04 + value) / 1.08 * len(across) for value in VALUES[1:-1]]
    assert all(lit[int(x) - 2 : int(x) + 3].any() for x in at)
    between = [(0.04 + value + 0.1) / 1.08 * len(across) for value in VALUES[:-1]]
    assert not any(lit[int(x)] for x in between)


def test_the_browser_sets_contrast_at_once_without_asking_the_server(
    screen: "Screen", hub: Hub, full_size_movie: Movie
) -> None:
    hub.add(full_size_movie(0))
    sent: list[object] = []
    screen.page.on(
        "websocket", lambda ws: ws.on("framesent", lambda part: sent.append(part))
    )
    screen.open()
    screen.page.click("#contrast")
    before = len(sent)
    # A tenth of a second on a machine that has nothing else to do.
    assert screen.page.evaluate(SECONDS_TO_PAINT) < 0.5
    assert len(sent) == before
