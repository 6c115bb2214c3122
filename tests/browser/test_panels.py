"""Each panel can be enlarged, and saved as a picture."""

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dashboard.hub import Hub
from streamer.analysis import Analysis

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

pytestmark = pytest.mark.browser

PANELS = """() => [...document.querySelectorAll("[data-panel]")]
  .map((each) => each.dataset.panel)"""

FILLS = """(name) => {
  const panel = document.querySelector(`[data-panel=${name}]`).getBoundingClientRect()
  const main = document.querySelector("main").getBoundingClientRect()
  return ["left", "top", "right", "bottom"]
    .every((side) => Math.abs(panel[side] - main[side]) < 1)
}"""

DRAWN = """(name) => {
  const panel = document.querySelector(`[data-panel=${name}]`)
  const box = panel.getBoundingClientRect()
  const figures = (view) =>
    view.canvas_view ? [view] : [...view.child_views ?? []].flatMap(figures)
  const drawn = Object.values(Bokeh.index).filter((root) => panel.contains(root.el))
    .flatMap(figures).map((view) => view.el.getBoundingClientRect())
  return Math.max(...drawn.map((each) => each.height)) / box.height
}"""


def panels(screen: "Screen") -> list[str]:
    return list(screen.page.evaluate(PANELS))


def visible(screen: "Screen") -> list[str]:
    return [
        name
        for name in panels(screen)
        if screen.page.locator(f"[data-panel={name}]").is_visible()
    ]


def saved(screen: "Screen", name: str, kind: str) -> tuple[str, bytes]:
    """Name and content of the file that the browser writes."""
    screen.page.locator(f"[data-panel={name}] .save").click()
    with screen.page.expect_download() as download:
        screen.page.locator(f"#save [data-kind={kind}]").click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def coarse(image: Image.Image) -> NDArray[np.int64]:
    """Means of blocks of 8 x 8 pixels: a shift by half a pixel does not matter."""
    width, height = image.width // 8, image.height // 8
    small = image.convert("RGB").crop((0, 0, 8 * width, 8 * height))
    return np.asarray(small.resize((width, height), Image.Resampling.BOX)).astype(int)


def test_every_panel_can_fill_the_main_area_and_go_back(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(30))
    screen.open()
    before = screen.whole()
    names = panels(screen)
    assert names[:3] == ["frame", "orientation", "order"]
    for name in names:
        screen.page.locator(f"[data-panel={name}] .enlarge").click()
        assert screen.page.evaluate(FILLS, name)
        assert visible(screen) == [name]
        screen.page.keyboard.press("Escape")
        assert visible(screen) == names
    screen.page.locator("[data-panel=order] h2").dblclick(position={"x": 230, "y": 12})
    assert visible(screen) == ["order"]
    screen.page.wait_for_function(f"({DRAWN})('order') > 0.9")
    screen.page.locator("[data-panel=order] h2").dblclick(position={"x": 230, "y": 12})
    screen.page.mouse.move(0, 0)
    screen.page.wait_for_function(f"({DRAWN})('order') > 0.8")
    screen.settle()
    changed = (screen.whole()[60:600] != before[60:600]).any(axis=2)
    assert changed.mean() < 0.01, "all is as it was"


def test_every_panel_is_saved_as_png_and_as_svg(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(30))
    screen.open()
    words = {
        "frame": ["x (nm)", "y (nm)"],
        "orientation": ["x (nm)", "-60°"],
        "order": ["x (nm)", "y (nm)"],
        "histograms": ["angle (°)", "crystallinity", "% of atoms"],
        "series": ["C atoms", "Lattice constant (nm)"],
    }
    assert set(words) <= set(panels(screen))
    for name, expected in words.items():
        file_name, png = saved(screen, name, "png")
        assert file_name == f"simulator-HAADF-frame-30-{name}.png"
        image = Image.open(io.BytesIO(png))
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB"))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50
        box = screen.page.locator(f"[data-panel={name}]").bounding_box()
        assert box is not None
        assert image.width > 0.8 * box["width"]
        file_name, svg = saved(screen, name, "svg")
        assert file_name == f"simulator-HAADF-frame-30-{name}.svg"
        said = re.findall(r"<text[^>]*>([^<]+)</text>", svg.decode())
        assert set(expected) <= set(said), name


def test_a_picture_has_the_atoms_and_the_wheel_as_they_are_on_the_screen(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(30))
    screen.open()
    shown = coarse(Image.open(io.BytesIO(screen.map(1).locator("> div").screenshot())))
    _, png = saved(screen, "orientation", "png")
    picture = coarse(Image.open(io.BytesIO(png)))
    rows, cols = np.minimum(shown.shape, picture.shape)[:2]
    apart = np.abs(shown[:rows, :cols] - picture[:rows, :cols]).max(axis=2)
    # What lies behind the wheel is dimmed on the screen only.
    assert (apart > 50).mean() < 0.03
    _, svg = saved(screen, "orientation", "svg")
    assert svg.count(b'fill="#') > 180


def test_there_is_nothing_to_save_before_the_first_frame(screen: "Screen") -> None:
    screen.open()
    screen.page.locator("[data-panel=frame] .save").click()
    screen.page.locator("#save [data-kind=png]").click()
    assert screen.complaints == []
