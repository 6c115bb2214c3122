"""A real Chromium, without a window, that looks at pages of a real server."""

import io
import runpy
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Request, sync_playwright

from dashboard.hub import Hub
from dashboard.server import Dashboard
from dashboard.snapshot import LinkState
from streamer.analysis import Analysis

DRAWN = runpy.run_path(str(Path(__file__).parents[1] / "dashboard" / "conftest.py"))

WITHIN_MS = 30_000

ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
]

IS_PAINTED = """() => {
  const state = window.Bokeh?.documents[0]?.get_model_by_name("state")
  return state != null && state.sent > 0 && state.painted == state.sent
}"""

SETTLED = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""

PLACE = """([number, x, y]) => {
  const {document, plots} = window.Bokeh.documents[0].get_model_by_name("state")
  const view = document.views_manager.find_one(plots[number])
  const {left, top} = view.el.getBoundingClientRect()
  const {x_scale, y_scale} = view.frame
  return [left + x_scale.compute(x), top + y_scale.compute(y)]
}"""


@dataclass
class Screen:
    """One page in the browser, and everything it complained about."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    hosts: set[str | None] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.page.on("pageerror", lambda error: self._note("error", str(error)))
        self.page.on("requestfailed", lambda sent: self._note("error", sent.url))
        self.page.on("request", self._note_host)

    def _note(self, kind: str, text: str) -> None:
        if kind == "error":
            self.complaints.append(text)

    def _note_host(self, request: Request) -> None:
        self.hosts.add(urlsplit(request.url).hostname)

    def open(self) -> None:
        self.page.goto(self.url)
        self.wait_until_painted()

    def wait_until_painted(self) -> None:
        self.page.wait_for_function(IS_PAINTED, timeout=WITHIN_MS)

    def text(self, name: str) -> str:
        """What stands at one place of the page."""
        return self.page.locator(f"#{name}").inner_text()

    def tone(self, name: str) -> str | None:
        """How it is coloured."""
        return self.page.locator(f"#{name}").get_attribute("data-tone")

    def wait_for_text(self, name: str, text: str) -> None:
        """Return when `text` stands there and the rest of that update is painted."""
        self.page.wait_for_function(
            "([name, text]) => document.getElementById(name).innerText == text",
            arg=[name, text],
            timeout=WITHIN_MS,
        )
        self.wait_until_painted()

    def wait_for_text_only(self, name: str, text: str) -> None:
        """Return when `text` stands there, whether or not anything is painted."""
        self.page.wait_for_function(
            "([name, text]) => document.getElementById(name).innerText == text",
            arg=[name, text],
            timeout=WITHIN_MS,
        )

    def map(self, number: int) -> Locator:
        """The frame, the angles, or the order."""
        return self.page.locator(".square").nth(number)

    def settle(self) -> None:
        """Return when what the browser has changed by itself is on the screen."""
        self.page.evaluate(SETTLED)

    def whole(self) -> NDArray[np.uint8]:
        """(rows, cols, 3) all that is on the screen."""
        image = Image.open(io.BytesIO(self.page.screenshot()))
        return np.asarray(image.convert("RGB"))

    def place(self, number: int, x: float, y: float) -> tuple[int, int]:
        """(row, col) on the screen of a point of the sample, in a map."""
        col, row = self.page.evaluate(PLACE, [number, x, y])
        return int(row), int(col)

    def pixels(self, number: int) -> NDArray[np.uint8]:
        """(rows, cols, 3) what is on the screen in a map."""
        image = Image.open(io.BytesIO(self.map(number).screenshot()))
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def screen(browser: Browser, url: str) -> Iterator[Screen]:
    """A page that must not complain, nor ask anything of other computers."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    screen = Screen(page, url)
    yield screen
    page.close()
    assert screen.complaints == []
    assert screen.hosts - {None} <= {"127.0.0.1"}


@pytest.fixture
def hub() -> Hub:
    hub = Hub("tcp://127.0.0.1:5556", time.monotonic)
    hub.set_link(LinkState.RECEIVING)
    return hub


@pytest.fixture
def url(hub: Hub) -> Iterator[str]:
    with Dashboard(hub, port=0) as dashboard:
        yield dashboard.url


@pytest.fixture(scope="session")
def movie() -> Callable[[int], Analysis]:
    """Frames of 4 nm."""
    return DRAWN["Movie"](side_px=256)


@pytest.fixture(scope="session")
def full_size_movie() -> Callable[[int], Analysis]:
    """Frames of 1024 x 1024 pixels and 16 nm: some 9 500 atoms."""
    return DRAWN["Movie"]()
