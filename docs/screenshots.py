"""Makes the pictures of the page in this folder, from the demo's movie.

Run it as `uv run --all-groups python docs/screenshots.py`; needs Chromium.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from atomstream.ports import free_address

HERE = Path(__file__).parent
FRAMES = 40
WITHIN_MS = 120_000
WIDTH, HEIGHT = 1440, 900
IS_PAINTED = """() => {
  const state = window.Bokeh?.documents[0]?.get_model_by_name("state")
  return state != null && state.sent > 0 && state.painted == state.sent
    && document.getElementById("progress").innerText == ""
}"""


def main() -> None:
    """Record the movie, show it, take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        session = Path(folder) / "demo"
        run("demo", "--frames", f"{FRAMES}", "--speed", "1000", "--no-dashboard",
            "--record", session)  # fmt: skip
        with page_of(session) as page:
            for name, prepare in PICTURES.items():
                prepare(page)
                page.wait_for_function(IS_PAINTED, timeout=WITHIN_MS)
                page.screenshot(path=HERE / f"{name}.png")


def overview(page: Page) -> None:
    """The newest frame, as it is when the page is opened."""


def latents(page: Page) -> None:
    """A region of latent space, enlarged, and what its atoms are."""
    page.click("[data-panel=latents] .enlarge")
    page.wait_for_timeout(1000)
    page.click("#lasso")
    box = page.locator("[data-panel=latents] .bk-Canvas").first.bounding_box()
    assert box is not None
    corners = [(0.55, 0.25), (0.8, 0.25), (0.8, 0.6), (0.55, 0.6), (0.55, 0.25)]
    for number, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if not number:
            page.mouse.down()
    page.mouse.up()


def region(page: Page) -> None:
    """The same atoms in all maps, in the light theme, over time."""
    page.click("[data-panel=latents] .enlarge")
    page.click("#theme")
    page.select_option("#axis", "time")
    page.wait_for_timeout(1000)


def change(page: Page) -> None:
    """What has changed since an earlier frame."""
    page.click("#clear-selection")
    page.click("#theme")
    page.locator("#seek").fill("5")
    page.wait_for_function("document.getElementById('frame').innerText == '5'")
    page.click("#compare")
    page.locator("#seek").fill(f"{FRAMES - 10}")
    page.wait_for_function(
        f"document.getElementById('frame').innerText == '{FRAMES - 10}'"
    )


PICTURES = {
    "dashboard": overview,
    "dashboard-latents": latents,
    "dashboard-region": region,
    "dashboard-change": change,
}


@contextmanager
def page_of(session: Path) -> Iterator[Page]:
    """A browser that has opened the page of `session`."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("needs Chromium: apt-get install chromium")
    at = free_address().removeprefix("tcp://")
    command = [*program("dashboard"), str(session), "--address", at]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
        sync_playwright() as playwright,
    ):
        assert server.stdout is not None
        server.stdout.readline()
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"http://{at}")
        page.wait_for_function(IS_PAINTED, timeout=WITHIN_MS)
        yield page
        browser.close()
        server.terminate()


def run(*arguments: str | Path) -> None:
    """A command of this project, to its end."""
    subprocess.run([*program(*map(str, arguments))], check=True)


def program(*arguments: str) -> list[str]:
    """How it is started."""
    return [sys.executable, "-m", "atomstream", *arguments]


if __name__ == "__main__":
    main()
