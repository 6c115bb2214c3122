"""What a viewer sees: every assertion is on what the browser shows."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from dashboard.hub import Hub
from dashboard.server import Dashboard
from streamer.analysis import Analysis
from streamer.frame import Stream

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

WITHIN_S = 20.0

pytestmark = pytest.mark.browser

SPREAD_IN_MAPS = """() => {
  const maps = Bokeh.documents[0].get_model_by_name("state").plots.slice(0, 3)
  return maps.map(({x_range: x, y_range: y}) => [x.start, x.end, y.start, y.end])
}"""

FRAMES_ARE_SQUARE = """() => {
  const frames = []
  const maps = Bokeh.documents[0].get_model_by_name("state").plots.slice(0, 3)
  const visit = (view) => {
    if (view.frame?.bbox && maps.includes(view.model))
      frames.push(view.frame.bbox)
    for (const child of view.child_views ?? []) visit(child)
  }
  for (const root of Object.values(Bokeh.index)) visit(root)
  return frames.length == 3
    && frames.every(({width, height}) => Math.abs(width / height - 1) < 0.01)
}"""

RENDERER = """() => {
  const gl = document.createElement("canvas").getContext("webgl")
  const details = gl?.getExtension("WEBGL_debug_renderer_info")
  return gl?.getParameter(details.UNMASKED_RENDERER_WEBGL) ?? "SwiftShader is off too"
}"""

CUT_OFF = """() => [...document.querySelectorAll("header *, footer *, h2 *")]
  .filter((each) => each.offsetParent && each.scrollWidth > each.clientWidth + 1
                    && getComputedStyle(each).display != "inline")
  .map((each) => each.id || each.outerHTML)"""


def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether `condition` holds within a while."""
    deadline_s = time.monotonic() + WITHIN_S
    while not condition() and time.monotonic() < deadline_s:
        pass
    return condition()


def cyan(pixels: NDArray[np.uint8]) -> int:
    """Pixels in the colour of carbon."""
    red, _, blue = pixels.astype(int).transpose(2, 0, 1)
    return int((blue - red > 60).sum())


def test_the_page_waits_and_then_shows_what_moves(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    screen.open()
    assert screen.text("mode") == "WAITING"
    assert screen.text("notice") == (
        "The service at tcp://127.0.0.1:5556 is heard, and has no frame yet: does its "
        "source send?"
    )
    hub.add(movie(0))
    screen.wait_for_text("frame", "0")
    assert screen.text("mode") == "LIVE"
    before = [screen.pixels(number) for number in range(3)]
    assert all(len(np.unique(pixels)) > 50 for pixels in before), "maps are not blank"
    hub.add(movie(40))
    screen.wait_for_text("frame", "40")
    after = [screen.pixels(number) for number in range(3)]
    changed = [(a != b).any(axis=2).mean() for a, b in zip(before, after, strict=True)]
    assert min(changed) > 0.02
    assert screen.text("C") == f"{movie(40).summary.counts['C']:,}"
    assert not screen.page.locator("#notice").is_visible()


def test_webgl_that_the_processor_would_have_to_do_is_not_used(
    screen: "Screen",
) -> None:
    renderer = screen.page.evaluate(RENDERER)
    screen.open()
    used = screen.page.evaluate("document.createElement('canvas').getContext('webgl')")
    assert (used is None) == ("SwiftShader" in renderer or "llvmpipe" in renderer)


def test_a_viewer_pauses_goes_back_and_returns(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    for seq in range(3):
        hub.add(replace(movie(20 * seq), seq=seq))
    screen.open()
    screen.page.click("#pause")
    screen.wait_for_text("mode", "PAUSED")
    held = [screen.pixels(number) for number in range(3)]
    hub.add(replace(movie(60), seq=3))
    screen.wait_for_text("behind", "1 behind")
    assert screen.text("frame") == "2"
    now = [screen.pixels(number) for number in range(3)]
    assert all((a == b).all() for a, b in zip(now, held, strict=True))
    screen.page.locator("#seek").fill("0")
    screen.wait_for_text("mode", "HISTORY")
    screen.wait_for_text("behind", "3 behind")
    assert (screen.pixels(2) != held[2]).any()
    screen.page.click("#live")
    screen.wait_for_text("mode", "LIVE")
    assert (screen.text("frame"), screen.text("behind")) == ("3", "")
    assert screen.page.locator("#seek").input_value() == "3"


def test_atoms_are_switched_off_and_all_maps_zoom_together(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(30))
    screen.open()
    with_atoms = cyan(screen.pixels(0))
    screen.page.uncheck("#atoms")
    assert comes_true(lambda: cyan(screen.pixels(0)) < with_atoms / 5)
    whole, order = screen.page.evaluate(SPREAD_IN_MAPS), screen.pixels(2)
    screen.map(1).hover()
    screen.page.mouse.wheel(0, -300)
    screen.page.wait_for_function(
        f"([x]) => ({SPREAD_IN_MAPS})()[0][0] > x", arg=[whole[0][0] + 0.1]
    )
    zoomed = screen.page.evaluate(SPREAD_IN_MAPS)
    assert zoomed[0] == zoomed[1] == zoomed[2]
    assert zoomed[0][2] > zoomed[0][3], "y grows downward"
    assert comes_true(lambda: (screen.pixels(2) != order).any())
    hub.add(movie(31))
    screen.wait_for_text("frame", "31")
    assert screen.page.evaluate(SPREAD_IN_MAPS) == zoomed


def test_everything_fits_on_the_screen_and_frames_are_square(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    stages = ("prepare", "network", "locate", "refine", "sub-images", "encoder",
              "summary", "preview")  # fmt: skip
    hub.add(
        replace(
            movie(0),
            seq=123_456,
            time_s=86_400.0,
            dose_e_nm2=1e10,
            stages_ms=dict.fromkeys(stages, 123.4),
        )
    )
    screen.open()
    for width, height in ((1440, 900), (1280, 800), (1920, 1080)):
        screen.page.set_viewport_size({"width": width, "height": height})
        screen.page.wait_for_function(FRAMES_ARE_SQUARE)
        whole = "() => [document.body.scrollWidth, document.body.scrollHeight]"
        assert screen.page.evaluate(whole) == [width, height]
        assert screen.page.evaluate(CUT_OFF) == []


def test_two_channels_can_be_chosen_between(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(3))
    screen.open()
    assert not screen.page.locator("#channel").is_visible()
    hub.add(replace(movie(8), stream=Stream("other", "simulator", "MAADF")))
    screen.page.locator("#channel").wait_for(state="visible")
    screen.page.select_option("#channel", "simulator · MAADF")
    screen.wait_for_text("frame", "8")
    assert screen.text("stream") == "simulator · MAADF"


def test_missing_data_and_a_missing_server_turn_red_by_themselves(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(0))
    with Dashboard(hub, port=0, stale_after_s=1.0) as dashboard:
        screen.url = dashboard.url
        screen.open()
        screen.page.wait_for_function(
            "document.getElementById('age').innerText.startsWith('no data for')"
        )
        assert screen.tone("age") == "bad"
        hub.add(movie(1))
        screen.wait_for_text("frame", "1")
        assert screen.tone("age") == "calm"
    screen.wait_for_text("mode", "OFFLINE")
    assert screen.tone("mode") == "bad"
    # The browser says itself that it tried in vain to connect again.
    screen.complaints.clear()


def test_a_page_comes_back_by_itself_when_its_server_was_started_anew(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(0))
    with Dashboard(hub, port=0) as before:
        screen.url = before.url
        screen.open()
    screen.wait_for_text_only("mode", "OFFLINE")
    hub.add(movie(1))
    port = int(screen.url.rpartition(":")[2])
    with Dashboard(hub, port=port):
        screen.wait_for_text("frame", "1")
        assert screen.text("mode") == "LIVE"
        screen.page.goto("about:blank")
    # The browser says itself that it tried in vain to connect again.
    screen.complaints.clear()


def test_a_choice_stays_while_the_server_still_says_what_was_before(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    """The server may answer the first of two choices after the second was made."""
    hub.add(movie(0))
    screen.open()
    shown = screen.page.evaluate("""async () => {
        const url = new URL("assets/choice.mjs", document.baseURI)
        const {on_choice, show_choice} = await import(url)
        const select = document.createElement("select")
        for (const value of ["frame", "time", "dose"]) select.add(new Option(value))
        const told = [], shown = []
        on_choice(select, (value) => told.push(value))
        const choose = (value) => {
            select.value = value
            select.dispatchEvent(new Event("change"))
        }
        choose("time"), choose("dose")
        for (const value of ["frame", "time", "time", "dose", "frame"]) {
            show_choice(select, value)
            shown.push(select.value)
        }
        return [told, shown]
    }""")
    assert shown == [["time", "dose"], ["dose", "dose", "dose", "dose", "frame"]]
