"""Every key does what the help says."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dashboard.hub import Hub
from streamer.analysis import Analysis

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

pytestmark = pytest.mark.browser

ENDS = """() => {
  const {plots} = window.Bokeh.documents[0].get_model_by_name("state")
  const {x_range: x, y_range: y} = plots[0]
  return [x.start, x.end, y.start, y.end]
}"""

WIDTH_PX = """() => {
  const {document, plots} = window.Bokeh.documents[0].get_model_by_name("state")
  return document.views_manager.find_one(plots[0]).frame.bbox.width * devicePixelRatio
}"""

TABLE = """async () => {
  const {KEYS} = await import(new URL("assets/keys.mjs", document.baseURI))
  return Object.values(KEYS).flat().map(([keys, does]) => [keys, does])
}"""

PIXEL_NM = 16 / 1024
SIDE_NM = 256 * PIXEL_NM


@pytest.fixture
def film(screen: "Screen", hub: Hub, movie: Movie) -> Iterator["Screen"]:
    """A page with five frames, of which one was lost: 0, 1, 2, 4, 5."""
    for seq in (0, 1, 2, 4, 5):
        hub.add(replace(movie(0), seq=seq))
    screen.open()
    yield screen
    assert screen.complaints == []


def ends(screen: "Screen") -> list[float]:
    """Left, right, bottom and top of what the maps show, in nm."""
    return list(screen.page.evaluate(ENDS))


def press(screen: "Screen", *keys: str) -> None:
    for key in keys:
        screen.page.keyboard.press(key)


def test_keys_go_through_the_frames(film: "Screen") -> None:
    for key, mode, frame in (
        ("ArrowLeft", "HISTORY", "4"),
        ("ArrowLeft", "HISTORY", "2"),
        ("ArrowRight", "HISTORY", "4"),
        ("Home", "HISTORY", "0"),
        ("ArrowLeft", "HISTORY", "0"),
        ("End", "PAUSED", "5"),
        ("l", "LIVE", "5"),
        (" ", "PAUSED", "5"),
        (" ", "LIVE", "5"),
        ("Home", "HISTORY", "0"),
        ("Escape", "LIVE", "5"),
    ):
        press(film, key)
        film.wait_for_text("mode", mode)
        film.wait_for_text("frame", frame)


def test_keys_zoom_and_pan_all_maps(film: "Screen") -> None:
    whole = ends(film)
    assert whole == pytest.approx(
        [-PIXEL_NM / 2, SIDE_NM - PIXEL_NM / 2, SIDE_NM - PIXEL_NM / 2, -PIXEL_NM / 2]
    )
    press(film, "+")
    left, right, bottom, top = ends(film)
    assert right - left == pytest.approx(SIDE_NM / 1.25)
    assert bottom - top == pytest.approx(SIDE_NM / 1.25), "y grows downward"
    assert left + right == pytest.approx(whole[0] + whole[1])
    press(film, "Shift+ArrowRight", "Shift+ArrowDown")
    step = 0.1 * SIDE_NM / 1.25
    moved = [left + step, right + step, bottom + step, top + step]
    assert ends(film) == pytest.approx(moved)
    press(film, "Shift+ArrowLeft", "Shift+ArrowUp", "-")
    assert ends(film) == pytest.approx(whole)
    for key, scale in (("1", 1), ("2", 2)):
        press(film, key)
        left, right, *_ = ends(film)
        shown = film.page.evaluate(WIDTH_PX) * PIXEL_NM / scale
        assert right - left == pytest.approx(shown, rel=1e-3)
    press(film, "0")
    assert ends(film) == pytest.approx(whole)
    press(film, *["+"] * 40)
    left, right, *_ = ends(film)
    assert right - left == pytest.approx(0.02 * SIDE_NM), "no closer than a map zooms"


def test_keys_switch_what_is_drawn(film: "Screen") -> None:
    page = film.page
    for key, pressed in (("a", "#atoms"), ("f", "#fold")):
        before = page.locator(pressed).is_checked()
        press(film, key)
        assert page.locator(pressed).is_checked() != before
    press(film, "c")
    assert page.locator("#contrast-box").is_visible()
    page.locator("[data-panel=orientation]").hover()
    press(film, "m")
    assert page.locator("[data-panel=orientation].enlarged").is_visible()
    press(film, "Escape")
    assert not page.locator("#contrast-box").is_visible()
    press(film, "Escape")
    assert page.locator(".enlarged").count() == 0
    press(film, "t")
    assert page.locator("html").get_attribute("data-theme") == "light"


def test_the_help_lists_every_key(film: "Screen") -> None:
    table = film.page.evaluate(TABLE)
    assert len(table) > 20
    used = [key for keys, _ in table for key in keys]
    assert len(set(used)) == len(used), "no key means two things"
    press(film, "?")
    said = film.page.locator("#keys").inner_text()
    assert all(does in said for _, does in table)
    press(film, " ")
    assert film.text("mode") == "LIVE", "keys do nothing behind it"
    press(film, "Escape")
    assert not film.page.locator("#keys").is_visible()
    assert film.text("mode") == "LIVE"


def test_what_is_typed_into_a_field_is_no_key_of_the_page(film: "Screen") -> None:
    press(film, "c")
    film.page.locator("#contrast-low").click()
    film.page.keyboard.type("0.10")
    film.page.keyboard.press("ArrowLeft")
    assert film.text("frame") == "5"
    assert film.page.locator("[data-panel].enlarged").count() == 0
    assert ends(film)[1] == pytest.approx(SIDE_NM - PIXEL_NM / 2)
    film.page.keyboard.press("Control+a")
    assert film.page.locator("#atoms").is_checked()


def test_after_a_click_on_a_button_keys_are_the_pages_again(film: "Screen") -> None:
    film.page.click("#pause")
    film.wait_for_text("mode", "PAUSED")
    press(film, " ")
    film.wait_for_text("mode", "LIVE")
    film.page.locator("#contrast").focus()
    press(film, " ")
    assert film.page.locator("#contrast-box").is_visible()
    assert film.text("mode") == "LIVE", "a button in focus takes the space bar"
