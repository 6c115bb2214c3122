"""How a viewer gets in, and out again."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from dashboard.access.password import Password
from dashboard.access.terms import Access
from dashboard.hub import Hub
from dashboard.server import Dashboard
from streamer.analysis import Analysis

if TYPE_CHECKING:
    from conftest import Screen

PASSWORD = "correct horse battery staple"

pytestmark = pytest.mark.browser


@pytest.fixture
def url(hub: Hub) -> Iterator[str]:
    """A page that asks for a password."""
    access = Access(Password.of(PASSWORD))
    with Dashboard(hub, port=0, access=access) as dashboard:
        yield dashboard.url


def test_a_viewer_logs_in_sees_the_page_and_logs_out(
    screen: "Screen", hub: Hub, movie: Callable[[int], Analysis]
) -> None:
    hub.add(movie(0))
    page = screen.page
    page.goto(screen.url)
    assert page.url == f"{screen.url}/login"
    assert page.evaluate("document.activeElement.id") == "password"

    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert page.inner_text("[role=alert]") == "That is not the password."
    assert page.evaluate("document.activeElement.id") == "password"
    # Chromium counts an answer that says no as an error of the page.
    assert all("403" in said for said in screen.complaints)
    screen.complaints.clear()

    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{screen.url}/")
    screen.wait_until_painted()
    assert screen.text("frame") == "0"
    assert page.evaluate("document.cookie") == ""

    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{screen.url}/login")
    page.goto(screen.url)
    assert page.url == f"{screen.url}/login"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_page_that_asks_can_be_read_in_either_light(
    screen: "Screen", scheme: str
) -> None:
    """Contrast of text to its ground as WCAG 2 wants it: 4.5 to 1."""
    screen.page.emulate_media(color_scheme=scheme)
    screen.page.goto(screen.url)
    ground = luminance(screen, "form", "backgroundColor")
    for text in ("h1", "label"):
        assert contrast(luminance(screen, text, "color"), ground) >= 4.5
    button = [
        luminance(screen, "button", name) for name in ("color", "backgroundColor")
    ]
    assert contrast(*button) >= 4.5


def luminance(screen: "Screen", selector: str, name: str) -> float:
    """Relative luminance of a colour on the screen, 0 to 1."""
    said = screen.page.eval_on_selector(
        selector, f"element => getComputedStyle(element).{name}"
    )
    channels = [int(each) / 255 for each in said[4:-1].split(",")]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: float, other: float) -> float:
    """Ratio of two luminances as WCAG 2 defines it, 1 to 21."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
