"""The colours of orientation: wheel, bar and map say the same."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from dashboard.hub import Hub
from streamer.analysis import Analysis
from streamer.atoms import Atoms

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]
type Colour = NDArray[np.int64]

pytestmark = pytest.mark.browser

PERIOD_DEG = 120
ANGLES_DEG = np.arange(-50, 60, 20)
"""Of atoms that lie in a row, from left to right."""

BAR = """() => {
  const {document, plots} = window.Bokeh.documents[0].get_model_by_name("state")
  const bar = plots[1].below.find((each) => each.type == "ColorBar")
  const view = document.views_manager.find_one(bar)
  const {left, top} = view.plot_view.el.getBoundingClientRect()
  const {x, y, width, height} = view._inner_layout.center_panel.bbox
  return [left + x, top + y, width, height]
}"""

COLOURS = """() => {
  const {plots} = window.Bokeh.documents[0].get_model_by_name("state")
  const bar = plots[1].below.find((each) => each.type == "ColorBar")
  return bar.color_mapper.palette.length
}"""


def row_of_atoms(movie: Movie) -> Analysis:
    """A frame of few atoms, far apart, of `ANGLES_DEG`, in its upper half."""
    frame = movie(0)
    side = frame.shape[0] * (frame.pixel_size_nm or 1.0)
    count = len(ANGLES_DEG)
    x = (np.arange(count) + 0.5) * side / count
    columns = {name: each[:count] for name, each in frame.atoms.columns().items()}
    columns |= {
        "x_nm": x,
        "y_nm": np.full(count, side / 4),
        "species": np.zeros(count),
        "angle_rad": np.radians(ANGLES_DEG),
    }
    return replace(frame, atoms=Atoms.from_columns(columns))


def in_map(screen: "Screen", shot: NDArray[np.uint8], frame: Analysis) -> list[Colour]:
    """Colours of the atoms."""
    places = [
        screen.place(1, float(x), float(y))
        for x, y in zip(frame.atoms.x_nm, frame.atoms.y_nm, strict=True)
    ]
    return [shot[place].astype(int) for place in places]


def in_wheel(screen: "Screen", shot: NDArray[np.uint8], angle_deg: float) -> Colour:
    """The colour in a direction, counter-clockwise from the right."""
    box = screen.page.locator("#wheel-ring").bounding_box()
    assert box is not None
    radius, angle = 0.4 * box["width"], np.radians(angle_deg)
    row = box["y"] + box["height"] / 2 - radius * np.sin(angle)
    col = box["x"] + box["width"] / 2 + radius * np.cos(angle)
    return shot[int(row), int(col)].astype(int)


def in_bar(screen: "Screen", shot: NDArray[np.uint8], angle_deg: float) -> Colour:
    """The colour at an angle, -60° at the left end and 60° at the right."""
    left, top, width, height = screen.page.evaluate(BAR)
    col = left + width * (angle_deg / PERIOD_DEG + 0.5)
    # Above the ticks, which reach into the bar from below.
    return shot[int(top + 0.3 * height), int(col)].astype(int)


def alike(one: Colour, other: Colour) -> bool:
    """The same but for half a degree, or for what a sector's edges blend."""
    return bool(np.abs(one - other).max() <= 25)


@pytest.fixture
def large(screen: "Screen", hub: Hub, movie: Movie) -> "Screen":
    """The map of orientation, large enough to tell the colours of the wheel apart."""
    hub.add(row_of_atoms(movie))
    screen.page.set_viewport_size({"width": 1920, "height": 1080})
    screen.open()
    screen.page.locator("[data-panel=orientation] .enlarge").click()
    screen.page.wait_for_function(
        "document.getElementById('wheel').clientWidth > 150"
        " && document.querySelectorAll('.square')[1].clientWidth > 1500"
    )
    screen.settle()
    return screen


def test_wheel_bar_and_map_agree_and_the_wheel_repeats_after_the_period(
    large: "Screen", movie: Movie
) -> None:
    frame, shot = row_of_atoms(movie), large.whole()
    atoms = in_map(large, shot, frame)
    for angle, colour in zip(ANGLES_DEG, atoms, strict=True):
        assert alike(in_bar(large, shot, angle), colour), angle
        for turn in (0, 120, 240):
            assert alike(in_wheel(large, shot, angle + turn), colour), (angle, turn)
        assert not alike(in_wheel(large, shot, angle + 60), colour), angle
    assert not any(alike(a, b) for a, b in pairwise(atoms))


def test_folded_the_wheel_repeats_twice_as_often(large: "Screen", movie: Movie) -> None:
    frame = row_of_atoms(movie)
    large.page.keyboard.press("f")
    large.page.wait_for_function(f"({COLOURS})() == 512")
    large.settle()
    shot = large.whole()
    for angle, colour in zip(ANGLES_DEG, in_map(large, shot, frame), strict=True):
        assert alike(in_bar(large, shot, angle), colour), angle
        for turn in range(0, 360, 60):
            assert alike(in_wheel(large, shot, angle + turn), colour), (angle, turn)
        assert not alike(in_wheel(large, shot, angle + 30), colour), angle


def test_the_zero_is_turned_by_number_by_wheel_and_by_hand_and_turned_back(
    large: "Screen", movie: Movie
) -> None:
    frame = row_of_atoms(movie)
    before = in_map(large, large.whole(), frame)

    def assert_turned_by_one_atom() -> None:
        large.settle()
        shot = large.whole()
        after = in_map(large, shot, frame)
        for angle, old, new in zip(ANGLES_DEG[1:], before, after[1:], strict=False):
            assert alike(new, old), angle
            assert alike(in_bar(large, shot, angle), new), angle
            assert alike(in_wheel(large, shot, angle), new), angle

    large.page.fill("#wheel-zero", "20")
    assert_turned_by_one_atom()
    large.page.fill("#wheel-zero", "0")
    ring = large.page.locator("#wheel-ring")
    ring.hover(position={"x": 10, "y": 100})
    for _ in range(20):
        large.page.mouse.wheel(0, -100)
    large.page.wait_for_function("document.getElementById('wheel-zero').value == 20")
    assert_turned_by_one_atom()
    ring.dblclick(position={"x": 10, "y": 100})
    assert large.page.input_value("#wheel-zero") == "0"
    box = ring.bounding_box()
    assert box is not None
    radius = 0.4 * box["width"]
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    large.page.mouse.move(middle[0] + radius, middle[1])
    large.page.mouse.down()
    large.page.mouse.move(
        middle[0] + radius * np.cos(np.radians(20)),
        middle[1] - radius * np.sin(np.radians(20)),
        steps=4,
    )
    large.page.mouse.up()
    assert float(large.page.input_value("#wheel-zero")) == pytest.approx(20, abs=1)
    assert_turned_by_one_atom()


def test_a_turned_wheel_stays_turned_for_the_figures_of_another_model(
    large: "Screen", hub: Hub, movie: Movie
) -> None:
    large.page.fill("#wheel-zero", "20")
    frame = row_of_atoms(movie)
    large.settle()
    turned = in_map(large, large.whole(), frame)
    other = replace(frame, seq=1, model=replace(frame.model, latents=("z1",)))
    hub.add(other)
    large.wait_for_text("frame", "1")
    large.settle()
    after = in_map(large, large.whole(), frame)
    assert all(alike(a, b) for a, b in zip(after, turned, strict=True))


def test_the_wheel_can_be_hidden(large: "Screen") -> None:
    large.page.keyboard.press("w")
    assert not large.page.locator("#wheel").is_visible()
    large.page.locator("#wheel-shown").click()
    assert large.page.locator("#wheel").is_visible()
