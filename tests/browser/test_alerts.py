"""Alerts as a viewer sees, closes and hears them."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from dashboard.alert_rules import AlertRules
from dashboard.hub import Hub
from dashboard.snapshot import LinkState
from streamer.analysis import Analysis
from streamer.service_state import Recorded, ServiceState

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

pytestmark = pytest.mark.browser

WITHIN_MS = 40_000
URL = "tcp://127.0.0.1:5556"
WELL = ServiceState("today", 44, 43, 0, 0, Recorded.YES, None, 812 * 10**9, 313_000.0)

# Counts what is played, and plays it.
LISTEN = """
  window.tones = 0
  const start = OscillatorNode.prototype.start
  OscillatorNode.prototype.start = function (...when) {
    window.tones += 1
    return start.apply(this, when)
  }
"""


LIMITS = """() => Bokeh.documents[0].get_model_by_name("state").plots
  .filter((plot) => plot.title?.text == "Mean crystallinity")
  .flatMap((plot) => plot.center)
  .filter((each) => each.type == "Span" && each.dimension == "width")
  .map((line) => line.location)"""


@pytest.fixture
def rules() -> AlertRules:
    return AlertRules(crystallinity_below=0.5, frames_in_a_row=2)


@pytest.fixture
def hub(rules: AlertRules) -> Hub:
    hub = Hub(URL, time.monotonic, rules=rules)
    hub.set_link(LinkState.RECEIVING)
    return hub


@pytest.fixture
def show(hub: Hub, movie: Movie) -> Callable[..., None]:
    """Frames of these mean crystallinities."""
    frame = movie(0)
    shown = iter(range(1000))

    def add(*orders: float) -> None:
        for order in orders:
            summary = replace(frame.summary, mean_crystallinity=order)
            hub.add(replace(frame, seq=next(shown), summary=summary))

    return add


def lines(page: Page) -> list[str]:
    return page.locator("#alerts li span").all_text_contents()


def expect_lines(page: Page, *words: str) -> None:
    expect(page.locator("#alerts li span")).to_have_text(list(words), timeout=WITHIN_MS)


def test_a_rule_alerts_on_the_page_and_is_over_again(
    screen: "Screen", show: Callable[..., None]
) -> None:
    show(0.9)
    screen.open()
    assert lines(screen.page) == []
    assert screen.text("alert-count") == "No alerts"
    show(0.42, 0.412)
    expect_lines(screen.page, "mean crystallinity 0.412, below 0.5, since frame 1")
    alert = screen.page.locator("#alerts li")
    assert alert.get_attribute("data-tone") == "bad"
    red = "getComputedStyle(document.querySelector('#alerts li')).color"
    assert screen.page.evaluate(red) == "rgb(255, 92, 92)"
    assert screen.text("alert-count") == "1 alert"
    assert screen.page.evaluate(LIMITS) == [0.5]
    show(0.9, 0.9)
    expect_lines(screen.page)
    assert not screen.page.locator("#alerts").is_visible()


@pytest.mark.parametrize("rules", [AlertRules(no_frame_for_s=1)])
def test_data_that_is_gone_turns_red_although_nothing_is_sent(
    screen: "Screen", hub: Hub, show: Callable[..., None]
) -> None:
    show(0.9)
    screen.open()
    before = hub.snapshot
    screen.page.wait_for_function("document.body.classList.contains('stale')")
    assert hub.snapshot is before
    assert screen.text("age").startswith("no data for")
    colour = "getComputedStyle(document.getElementById('age')).color"
    assert screen.page.evaluate(colour) == "rgb(255, 92, 92)"
    hub.look()  # as feeds do, now and then
    expect_lines(screen.page, "no data for more than 1 s, since frame 0")
    show(0.9)
    screen.wait_for_text("frame", "1")
    assert screen.tone("age") == "calm"


def test_an_alert_that_was_closed_stays_closed_until_it_comes_anew(
    screen: "Screen", hub: Hub, show: Callable[..., None]
) -> None:
    hub.report(URL, replace(WELL, waiting=12))
    show(0.4, 0.4)
    screen.open()
    late = "frames are late: 12 wait, above 10"
    expect_lines(screen.page, "mean crystallinity 0.4, below 0.5, since frame 0", late)
    other = screen.page.context.browser.new_page()
    other.goto(screen.url)
    expect(other.locator("#alerts li")).to_have_count(2, timeout=WITHIN_MS)
    screen.page.click("#alerts li:first-child button")
    expect_lines(screen.page, late)
    assert screen.text("alert-count") == "2 alerts, 1 closed"
    assert len(lines(other)) == 2, "closed for nobody else"
    other.close()
    show(0.3)
    screen.wait_for_text("frame", "2")
    assert lines(screen.page) == [late]
    screen.page.reload()
    screen.wait_until_painted()
    assert lines(screen.page) == [late]
    screen.page.click("#alert-count")
    expect_lines(screen.page, "mean crystallinity 0.3, below 0.5, since frame 0", late)
    screen.page.click("#alerts li:first-child button")
    show(0.9, 0.9, 0.4, 0.4)
    expect_lines(screen.page, "mean crystallinity 0.4, below 0.5, since frame 5", late)


def test_a_new_alert_sounds_once_if_that_is_wanted(
    screen: "Screen", show: Callable[..., None]
) -> None:
    screen.page.add_init_script(LISTEN)
    show(0.9)
    screen.open()
    tones = lambda: screen.page.evaluate("window.tones")  # noqa: E731 # as it is now
    assert not screen.page.is_checked("#sound"), "nothing sounds by itself"
    show(0.4, 0.4)
    expect(screen.page.locator("#alerts li")).to_have_count(1, timeout=WITHIN_MS)
    assert tones() == 0
    show(0.9, 0.9)
    expect(screen.page.locator("#alerts li")).to_have_count(0, timeout=WITHIN_MS)
    screen.page.check("#sound")
    screen.page.wait_for_function("window.tones == 1")  # how it will sound
    show(0.4, 0.4)
    screen.page.wait_for_function("window.tones == 2")
    show(0.39, 0.38)
    expect_lines(screen.page, "mean crystallinity 0.38, below 0.5, since frame 5")
    assert tones() == 2
    screen.page.reload()
    screen.wait_until_painted()
    assert screen.page.is_checked("#sound"), "the choice is remembered"
    expect(screen.page.locator("#alerts li")).to_have_count(1, timeout=WITHIN_MS)
    assert tones() == 0, "what stood before is no news"
    screen.page.click("h1")  # without which browsers let nothing be heard
    show(0.9, 0.9, 0.4, 0.4)
    screen.page.wait_for_function("window.tones == 1")


def test_the_page_says_how_the_service_stands_and_in_red_if_it_cannot_record(
    screen: "Screen", hub: Hub, show: Callable[..., None]
) -> None:
    hub.report(URL, replace(WELL, waiting=3, aside=1))
    show(0.9)
    screen.open()
    assert screen.text("recording") == "recording"
    assert screen.tone("recording") == "good"
    assert screen.text("disk") == ", 812 GB free, room for about 30 days at this rate"
    assert screen.text("session") == "today"
    assert screen.text("backlog") == "3 frames wait"
    assert screen.text("aside") == ", 1 frame set aside"
    hub.report(URL, replace(WELL, waiting=12))
    screen.wait_for_text("backlog", "12 frames wait")
    assert screen.tone("backlog") == "warn"
    reason = "NOT RECORDING: no space left on the disk"
    state = replace(WELL, recorded=Recorded.NO, reason=reason, free_bytes=0)
    hub.report(URL, state)
    hub.warn(URL, reason)
    screen.wait_for_text("recording", "NOT RECORDING")
    assert screen.tone("recording") == "bad"
    expect_lines(screen.page, reason, "the disk has room for 0.0 GB only, below 10 GB")
    hub.report(URL, WELL)
    hub.warn(URL, None)
    expect_lines(screen.page)
    assert screen.text("recording") == "recording"


def test_the_stages_are_drawn_as_long_as_they_took(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    stages = {"network": 96.0, "positions": 212.0, "latents": 58.0}
    hub.add(replace(movie(0), stages_ms=stages))
    screen.open()
    widths = """() => {
      const bar = document.getElementById("stage-bar")
      const whole = bar.getBoundingClientRect().width
      return [...bar.children].map((part) => part.getBoundingClientRect().width / whole)
    }"""
    expected = [ms / 1000 for ms in stages.values()]
    assert screen.page.evaluate(widths) == pytest.approx(expected, abs=0.01)
    assert (screen.text("stages"), screen.text("stage-scale")) == (
        "0.37 of 33.5 s", "bar: 1 s",
    )  # fmt: skip
    title = screen.page.locator("#stage-bar i").nth(1).get_attribute("title")
    assert title == "positions: 212 ms, 0.63 % of the 33.5 s that a frame takes"
    hub.add(replace(movie(1), stages_ms={"network": 10_050.0, "fit": 16_750.0}))
    screen.wait_for_text("stages", "26.80 of 33.5 s")
    assert screen.text("stage-scale") == "bar: 33.5 s"
    assert screen.page.evaluate(widths) == pytest.approx([0.3, 0.5], abs=0.01)
