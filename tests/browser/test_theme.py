"""Dark and light, without loading the page again."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dashboard.hub import Hub
from streamer.analysis import Analysis

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

pytestmark = pytest.mark.browser

RATIOS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d")
  const luminance = (colour) => {
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((each) => each / 255)
      .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const style = getComputedStyle(document.documentElement)
  const panel = luminance(style.getPropertyValue("--panel"))
  const names = ["ink", "muted", "accent", "carbon", "silicon",
    "good", "calm", "warn", "bad"]
  return Object.fromEntries(names.map((name) => {
    const ink = luminance(style.getPropertyValue(`--${name}`))
    const [low, high] = [Math.min(ink, panel), Math.max(ink, panel)]
    return [`--${name}`, (high + 0.05) / (low + 0.05)]
  }))
}"""


def light_share(screen: "Screen") -> float:
    """Of the screen, pixels that are nearly white."""
    return float((screen.whole().min(axis=2) > 225).mean())


def test_the_page_and_its_figures_become_light_and_dark_again(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(30))
    screen.open()
    screen.page.evaluate("window.same_page = true")
    dark = screen.whole()
    assert light_share(screen) < 0.05
    screen.page.keyboard.press("t")
    screen.settle()
    # All but the frame, atoms, histograms and words.
    assert light_share(screen) > 0.6
    for number in range(3):
        corner = screen.pixels(number)[-3, 3]
        assert corner.min() > 240, "around the map"
    screen.page.click("#theme")
    screen.settle()
    again = screen.whole()
    assert (again[60:700] != dark[60:700]).any(axis=2).mean() < 1e-3
    assert screen.page.evaluate("window.same_page")


def test_figures_of_another_model_are_as_light_as_those_before(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(0))
    screen.open()
    screen.page.keyboard.press("t")
    screen.settle()
    before = light_share(screen)
    hub.add(replace(movie(1), model=replace(movie(1).model, latents=("z1",))))
    screen.wait_for_text("frame", "1")
    screen.settle()
    assert light_share(screen) == pytest.approx(before, abs=0.12)


def test_the_choice_is_remembered_and_the_address_has_the_last_word(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(0))
    screen.open()
    screen.page.keyboard.press("t")
    screen.open()
    assert light_share(screen) > 0.6
    screen.url += "/?theme=dark"
    screen.open()
    assert light_share(screen) < 0.05


def test_words_are_legible_in_both_themes(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    """By the contrast that WCAG asks of text: 4.5, of large or secondary text 3."""
    hub.add(movie(0))
    screen.open()
    for _ in range(2):
        ratios = screen.page.evaluate(RATIOS)
        assert min(ratios.values()) > 3, ratios
        assert ratios["--ink"] > 7
        screen.page.keyboard.press("t")
