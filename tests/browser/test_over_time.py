"""The plots over time, as a viewer uses them; asserted on what the browser shows."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page

from dashboard.hub import Hub
from dashboard.missing import Missing
from dashboard.notebook import Notebook, NotesFollowed
from dashboard.server import Dashboard
from dashboard.status import dose
from streamer.analysis import Analysis
from streamer.session.notes import NOTES_NAME, read_notes

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

pytestmark = pytest.mark.browser

TIMELINE = 'Bokeh.documents[0].get_model_by_name("state").timeline'
SHOWN = f"() => [{TIMELINE}.shown.start, {TIMELINE}.shown.end]"
VALUES = f"() => {TIMELINE}.plots.map(({{y_range: y}}) => [y.start, y.end])"
TITLES = f"() => {TIMELINE}.plots.filter((p) => p.below[0].visible)\
  .map((p) => p.below[0].axis_label)"
CURSOR = f"() => {TIMELINE}.plots[0].center\
  .filter((each) => each.type == 'Span').map((each) => each.location)"

PLACE = f"""([name, x]) => {{
  const plot = {TIMELINE}.plots.find(({{tags}}) => tags[0].startsWith(name))
  let found = null
  const visit = (view) => {{
    if (view.model === plot) found = view
    for (const child of view.child_views ?? []) visit(child)
  }}
  for (const root of Object.values(Bokeh.index)) visit(root)
  const {{left, top}} = found.el.getBoundingClientRect()
  const {{bbox, x_scale}} = found.frame
  return [left + x_scale.compute(x), top + (bbox.top + bbox.bottom) / 2]
}}"""


def place(page: Page, plot: str, x: float) -> tuple[float, float]:
    """Where on the screen `x` of a plot is, halfway up."""
    across, down = page.evaluate(PLACE, [plot, x])
    return across, down


def drag(page: Page, plot: str, first: float, last: float) -> None:
    """From one place of a plot to another."""
    page.mouse.move(*place(page, plot, first))
    page.mouse.down()
    page.mouse.move(*place(page, plot, last), steps=4)
    page.mouse.up()


def wait_for_window(page: Page, start: float, end: float) -> None:
    """Return when that part of the axis is shown, to within a frame."""
    page.wait_for_function(
        f"([a, b]) => {{ const [c, d] = ({SHOWN})();"
        "return Math.abs(a - c) < 0.6 && Math.abs(b - d) < 0.6 }",
        arg=[start, end],
    )


@pytest.fixture(scope="module")
def frame(movie: Movie) -> Movie:
    """The same drawn once for all tests."""
    return cache(movie)


def filled(hub: Hub, frame: Movie) -> None:
    """A stream of which frames 5 and 6 are lost."""
    for seq in range(20):
        if seq not in {5, 6}:
            hub.add(frame(seq))
    hub.lose(frame(0).stream, Missing(5, 6, "no longer known"))


def test_one_choice_draws_everything_over_time_or_dose(
    screen: "Screen", hub: Hub, frame: Movie
) -> None:
    filled(hub, frame)
    screen.open()
    expected = {
        "frames": ("frame", -0.5, 19.5, 19.0),
        "time": ("time (min)", -33.5 / 120, 19.5 * 33.5 / 60, 19 * 33.5 / 60),
        "dose": ("dose (10⁸ e/nm²)", 0.08, 20.5 * 0.16, 20 * 0.16),
    }
    for axis in ("time", "dose", "frames"):
        title, start, end, cursor = expected[axis]
        screen.page.select_option("#axis", axis)
        screen.page.wait_for_function(f"(axis) => {TIMELINE}.axis == axis", arg=axis)
        screen.wait_until_painted()
        short = "10⁸ e/nm²" if axis == "dose" else title
        assert screen.page.evaluate(TITLES) == [short] * 4 + [title]
        assert screen.page.evaluate(SHOWN) == pytest.approx([start, end])
        assert screen.page.evaluate(CURSOR) == [pytest.approx(cursor)]


def test_a_stream_without_times_offers_what_it_has_and_says_so(
    screen: "Screen", hub: Hub, frame: Movie
) -> None:
    for seq in range(3):
        hub.add(replace(frame(seq), time_s=math.nan, dose_e_nm2=math.nan))
    screen.open()
    options = screen.page.locator("#axis option")
    off = options.evaluate_all("(all) => all.map(({disabled}) => disabled)")
    assert off == [False, True, True]
    assert screen.text("axis-words") == "this stream tells no times and no dose"


def test_pointing_reads_numbers_gaps_models_and_notes(
    screen: "Screen", hub: Hub, frame: Movie
) -> None:
    filled(hub, frame)
    hub.note(frame(0).stream.id, 12, "a hole <b>opens</b>")
    other = replace(frame(0).model, name="other", latents=("crystallinity", "z7"))
    hub.add(replace(frame(20), model=other))
    screen.open()

    def read_at(plot: str, x: float) -> str:
        screen.page.mouse.move(*place(screen.page, plot, x))
        screen.page.locator("#reading").wait_for(state="visible")
        return screen.text("reading")

    carbon = frame(9).summary.counts["C"]
    assert read_at("C atoms", 9.0).splitlines() == [
        f"frame 9 · 0:05:01 · {dose(1.6e8)}", f"C atoms: {carbon:,}",
    ]  # fmt: skip
    assert "frames 5 to 6 lost: no longer known" in read_at("Si atoms", 5.5)
    assert "frame 12: a hole <b>opens</b>" in read_at("crystallinity", 12.0)
    words = read_at("z7", 19.5)
    assert "frame 20: model graphene-si 5f3a9c41 → other 5f3a9c41" in words
    assert "z7: begins here, the model before had no such latent" in words
    screen.page.mouse.move(5, 5)
    screen.page.locator("#reading").wait_for(state="hidden")


def test_a_zoom_is_held_or_follows_the_newest_and_a_double_click_ends_it(
    screen: "Screen", hub: Hub, frame: Movie
) -> None:
    filled(hub, frame)
    screen.open()
    assert screen.text("window") == "following"
    drag(screen.page, "C atoms", 7.5, 11.5)
    wait_for_window(screen.page, 7.5, 11.5)
    assert screen.text("window").startswith("zoom held · frames 8 to 1")
    held = screen.page.evaluate(SHOWN)
    hub.add(frame(20))
    screen.wait_for_text("frame", "20")
    assert screen.page.evaluate(SHOWN) == held
    screen.page.mouse.dblclick(*place(screen.page, "C atoms", 9.5))
    wait_for_window(screen.page, -0.5, 20.5)
    assert screen.text("window") == "following"
    screen.page.mouse.wheel(0, -200)
    screen.page.wait_for_function(f"() => ({SHOWN})()[1] < 20.3")
    assert screen.text("window").startswith("zoom held")
    screen.page.mouse.dblclick(*place(screen.page, "angle", 9.5))
    wait_for_window(screen.page, -0.5, 20.5)
    drag(screen.page, "angle", 15.5, 20.5)
    wait_for_window(screen.page, 15.5, 20.5)
    assert screen.text("window").startswith("following · frames 1")
    hub.add(frame(21))
    screen.wait_for_text("frame", "21")
    wait_for_window(screen.page, 16.5, 21.5)


def test_ranges_of_values_hold_until_values_leave_or_the_viewer_asks(
    screen: "Screen", hub: Hub, frame: Movie
) -> None:
    for seq in range(3):
        hub.add(frame(seq))
    screen.open()
    assert screen.text("ranges") == "ranges held since frame 2"
    before = screen.page.evaluate(VALUES)
    hub.add(replace(frame(0), seq=3))
    screen.wait_for_text("frame", "3")
    assert screen.page.evaluate(VALUES) == before
    few = replace(frame(0).summary, counts={"C": 280, "Si": 0})
    hub.add(replace(frame(0), seq=4, summary=few))
    screen.wait_for_text("frame", "4")
    assert screen.text("ranges") == "ranges held · C atoms rescaled at frame 4"
    after = screen.page.evaluate(VALUES)
    changed = [a != b for a, b in zip(before, after, strict=True)]
    assert changed == [plot == 4 for plot in range(len(before))], "C atoms alone"
    screen.page.click("#rescale")
    screen.wait_for_text("ranges", "ranges held since frame 4")
    (low, high), (low_before, high_before) = screen.page.evaluate(VALUES)[4], after[4]
    assert high - low < high_before - low_before


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def two_screens(
    browser: Browser, session: Path, frame: Movie
) -> Iterator[tuple[Page, Page]]:
    """Pages of two dashboards that show the same session."""
    pages = []
    hubs = [Hub("here", time.monotonic, notebook=Notebook(session)) for _ in range(2)]
    for hub in hubs:
        hub.add(frame(0))
        hub.add(frame(1))
    with (
        NotesFollowed(hubs[0]),
        NotesFollowed(hubs[1]),
        Dashboard(hubs[0], port=0) as one,
        Dashboard(hubs[1], port=0) as other,
    ):
        for dashboard in (one, other):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(dashboard.url)
            page.locator("#open-notes:enabled").wait_for()
            pages.append(page)
        yield pages[0], pages[1]
        for page in pages:
            page.close()


def test_a_note_is_seen_by_all_viewers_of_all_dashboards_and_kept(
    two_screens: tuple[Page, Page], session: Path, frame: Movie
) -> None:
    one, other = two_screens
    one.keyboard.press("Home")
    one.locator("#mode", has_text="HISTORY").wait_for()
    one.keyboard.press("n")
    assert one.locator("#note-about").inner_text() == "Note at frame 0"
    assert str(session / NOTES_NAME) in one.locator("#notes-kept").inner_text()
    one.locator("#note").press_sequentially("a <i>hole</i> opens")
    one.keyboard.press("Enter")
    for page in (one, other):
        page.locator("#open-notes", has_text="Notes (1)").wait_for()
    other.click("#open-notes")
    item = other.locator("#note-list li")
    one.keyboard.press("Escape")
    assert one.locator("#notes").is_hidden()
    assert one.locator("#mode").inner_text() == "HISTORY", "one key closes one thing"
    assert one.locator("#atoms").is_checked(), "letters of a note are no keys"
    assert "a <i>hole</i> opens" in item.inner_text()
    item.locator("button").click()
    other.locator("#mode", has_text="HISTORY").wait_for()
    (note,) = read_notes(session).notes
    assert (note.stream_id, note.seq, note.text) == (
        frame(0).stream.id, 0, "a <i>hole</i> opens",
    )  # fmt: skip
    assert other.locator("#note").get_attribute("maxlength") == "280"
