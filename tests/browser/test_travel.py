"""From frame to frame, to differences of two, and to links that open again."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray

from dashboard.access.password import Password
from dashboard.access.terms import Access
from dashboard.archive import Archive
from dashboard.hub import Hub
from dashboard.server import Dashboard
from dashboard.session_feed import SessionFeed
from dashboard.snapshot import Reach
from streamer.analysis import Analysis, Flag
from streamer.atoms import Atoms
from streamer.frame import Completeness, Frame
from streamer.session.analyst import AnalysisRecorder
from streamer.session.recorder import FrameRecorder

if TYPE_CHECKING:
    from conftest import Screen

type Movie = Callable[[int], Analysis]

WITHIN_MS = 30_000
FRAMES = 6

pytestmark = pytest.mark.browser

AXES = """() => {
  const [{x_range: x, y_range: y}] = Bokeh.documents[0].get_model_by_name("state").plots
  return [x.start, x.end, y.start, y.end]
}"""

ZOOM_IN = """() => {
  const [{x_range, y_range}] = Bokeh.documents[0].get_model_by_name("state").plots
  for (const axis of [x_range, y_range]) {
    const [middle, span] = [(axis.start + axis.end) / 2, axis.end - axis.start]
    axis.setv({start: middle - span / 8, end: middle + span / 8})
  }
}"""


ON_SCREEN = """(corners) => {
  const [plot] = Bokeh.documents[0].get_model_by_name("state").plots
  const view = Bokeh.index.find_one(plot)
  const {left, top} = view.el.getBoundingClientRect()
  const {x_scale, y_scale} = view.frame
  return corners.map(([x, y]) => [left + x_scale.compute(x), top + y_scale.compute(y)])
}"""


def record(folder: Path, *analyses: Analysis) -> None:
    with FrameRecorder(folder) as frames, AnalysisRecorder(folder) as analyst:
        for each in analyses:
            image = each.preview.image.astype(np.float32)
            frame = Frame(each.stream, each.seq, image, each.pixel_size_nm)
            frames.commit_frame(frame, received_ns=0)
            analyst.commit_analysis(each)


def ten_apart(movie: Movie, seq: int) -> Analysis:
    return replace(movie(10 * seq), seq=seq)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Serves the page of a session; returns where."""
    with ExitStack() as running:

        def start(folder: Path) -> str:
            hub = Hub("a session", time.monotonic)
            running.enter_context(SessionFeed(hub, folder))
            archive = running.enter_context(Archive(folder))
            page = running.enter_context(Dashboard(hub, port=0, archive=archive))
            return page.url

        yield start


@pytest.fixture
def recorded(
    serve: Callable[[Path], str], screen: "Screen", movie: Movie, folder: Path
) -> "Screen":
    """The page of a session of six frames that has ended."""
    record(folder, *(ten_apart(movie, seq) for seq in range(FRAMES)))
    with FrameRecorder(folder) as recorder:
        recorder.commit_end(movie(0).stream, FRAMES)
    screen.url = serve(folder)
    screen.open()
    screen.wait_for_text("frames", "of 6")
    return screen


def address(screen: "Screen") -> dict[str, str]:
    """What the address bar says."""
    query = parse_qs(urlsplit(screen.page.url).query)
    return {name: values[0] for name, values in query.items()}


def wait_for_address(screen: "Screen", condition: str) -> None:
    screen.page.wait_for_function(
        f"() => (said => {condition})(new URLSearchParams(location.search))",
        timeout=WITHIN_MS,
    )


def test_every_frame_of_a_session_can_be_gone_to(
    recorded: "Screen", movie: Movie
) -> None:
    assert recorded.text("mode") == "RECORDED"
    assert recorded.text("loading") == "0\N{EN DASH}5 recorded"
    newest = recorded.pixels(0)
    recorded.page.locator("#seek").fill("0")
    recorded.wait_for_text("frame", "0")
    assert recorded.text("behind") == "5 behind"
    assert recorded.text("mode") == "HISTORY"
    assert recorded.text("C") == f"{movie(0).summary.counts['C']:,}"
    assert (recorded.pixels(0) != newest).any()
    recorded.page.locator("#seek").press("ArrowRight")
    recorded.wait_for_text("frame", "1")
    recorded.page.click("#live")
    recorded.wait_for_text("mode", "RECORDED")
    assert recorded.text("frame") == "5"
    assert (recorded.pixels(0) == newest).all()


def test_a_frame_that_cannot_be_read_says_why_and_the_page_goes_on(
    recorded: "Screen", folder: Path
) -> None:
    sorted((folder / "frames").iterdir())[2].unlink()
    recorded.page.locator("#seek").fill("2")
    recorded.page.wait_for_selector("#remark:not(:empty)", timeout=WITHIN_MS)
    assert recorded.text("remark").startswith("Frame 2 cannot be read: ")
    assert recorded.text("frame") == "5"
    recorded.page.locator("#seek").fill("1")
    recorded.wait_for_text("frame", "1")
    assert not recorded.page.locator("#remark").is_visible()


def saturated(pixels: NDArray[np.uint8]) -> float:
    """Share of the pixels that are no shade of grey."""
    colours = pixels.astype(int)
    return float((colours.max(axis=2) - colours.min(axis=2) > 40).mean())


def test_the_difference_of_two_frames_takes_the_place_of_the_frame(
    recorded: "Screen",
) -> None:
    recorded.page.uncheck("#atoms")
    recorded.page.locator("#seek").fill("0")
    recorded.wait_for_text("frame", "0")
    grey, order = recorded.pixels(0), recorded.pixels(2)
    assert saturated(grey) < 0.001
    recorded.page.click("#compare")
    recorded.wait_for_text("picture", "Frame 0 \N{MINUS SIGN} 0")
    recorded.page.locator("#seek").fill("5")
    recorded.wait_for_text("picture", "Frame 5 \N{MINUS SIGN} 0")
    assert saturated(recorded.pixels(0)) > 0.02, "blue where atoms have gone"
    assert (recorded.pixels(2) != order).any(), "maps are those of the frame"
    recorded.page.locator("#seek").fill("0")
    recorded.wait_for_text("frame", "0")
    recorded.page.click("#compare")
    recorded.wait_for_text("picture", "Frame")
    assert (recorded.pixels(0) == grey).all()


def test_a_reload_keeps_frame_view_and_choices(recorded: "Screen") -> None:
    page = recorded.page
    page.locator("#seek").fill("2")
    recorded.wait_for_text("frame", "2")
    page.check("#fold")
    page.uncheck("#atoms")
    page.evaluate(ZOOM_IN)
    wait_for_address(
        recorded,
        "said.get('frame') == 2 && said.get('fold') == 1 && said.get('atoms') == 0 "
        "&& Math.abs(said.get('w') - 1) < 0.01",
    )
    before = page.evaluate(AXES)
    page.reload()
    recorded.wait_until_painted()
    recorded.wait_for_text("frame", "2")
    assert page.evaluate(AXES) == pytest.approx(before, abs=0.01)
    assert page.is_checked("#fold")
    assert not page.is_checked("#atoms")
    page.click("#live")
    wait_for_address(recorded, "!said.has('frame') && said.has('w')")
    page.dblclick(".square >> nth=1")
    wait_for_address(recorded, "!said.has('w')")


def test_a_link_is_copied_and_opens_the_same_frame_elsewhere(
    recorded: "Screen",
) -> None:
    page = recorded.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#copy-link")
    recorded.wait_for_text("copy-link", "Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(link).query)["frame"] == ["5"], "also of the newest"
    page.goto(link.replace("frame=5", "frame=3"))
    recorded.wait_for_text("frame", "3")
    assert recorded.text("mode") == "HISTORY"


def test_a_link_opens_all_that_its_viewer_sees(recorded: "Screen") -> None:
    page = recorded.page
    page.click("#contrast")
    page.fill("#contrast-low", "0.25")
    page.fill("#contrast-high", "0.75")
    page.fill("#wheel-zero", "12")
    page.select_option("#latent-x", "angle_deg")
    corners = [(0.2, 0.2), (1.5, 0.2), (0.2, 1.5)]
    (x, y), *others = page.evaluate(ON_SCREEN, corners)
    page.keyboard.press("s")
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    page.locator("#seek").fill("1")
    recorded.wait_for_text("frame", "1")
    page.click("#compare")
    page.locator("#seek").fill("3")
    recorded.wait_for_text("picture", "Frame 3 \N{MINUS SIGN} 1")
    chosen = recorded.text("selected")
    assert " of " in chosen
    wait_for_address(recorded, "said.get('against') == 1 && said.get('frame') == 3")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    recorded.wait_for_text("picture", "Frame 3 \N{MINUS SIGN} 1")
    recorded.wait_for_text("selected", chosen)
    page.click("#contrast")
    assert page.input_value("#contrast-low") == "0.25"
    assert page.input_value("#contrast-high") == "0.75"
    assert page.input_value("#wheel-zero") == "12"
    assert page.input_value("#latent-x") == "angle_deg"
    assert address(recorded)["region"] == parse_qs(urlsplit(link).query)["region"][0]


@pytest.mark.parametrize(
    "region",
    ["x,y,1 2", "x,y,a b,1 2,3 4", "x", "nothing,y,0 0,0 9,9 9", "x,y,0 0 0,1 1,2"],
)
def test_a_link_to_a_region_that_makes_no_sense_selects_nothing(
    recorded: "Screen", region: str
) -> None:
    recorded.page.goto(f"{recorded.url}/?region={region}&black=7&white=x&zero=e")
    recorded.wait_until_painted()
    recorded.page.wait_for_function(
        "document.getElementById('selected').textContent.includes('atoms')"
    )
    assert " of " not in recorded.text("selected")


def test_a_link_to_what_is_not_there_says_so(recorded: "Screen") -> None:
    recorded.page.goto(f"{recorded.url}/?run=gone&channel=a&frame=7&x=<script>&w=1e99")
    recorded.page.wait_for_selector("#remark:not(:empty)", timeout=WITHIN_MS)
    assert "no analysed frame of this run" in recorded.text("remark")
    assert recorded.text("frame") == "5"


def test_a_link_is_kept_while_the_password_is_asked_for(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    for seq in range(3):
        hub.add(movie(seq))
    access = Access(Password.of("secret"))
    with Dashboard(hub, port=0, access=access) as dashboard:
        screen.page.goto(f"{dashboard.url}/?frame=1&fold=1")
        screen.page.fill("#password", "secret")
        screen.page.keyboard.press("Enter")
        screen.page.wait_for_url("**/?frame=1&fold=1*")
        screen.wait_for_text("frame", "1")
        assert screen.page.is_checked("#fold")
        screen.page.goto("about:blank")


def test_rows_that_were_not_scanned_are_not_shown_as_data(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    none = Atoms.none(movie(0).model.latents)
    partial = {
        "completeness": Completeness.PARTIAL,
        "rows_so_far": 64,
        "flags": (Flag.PARTIAL,),
        "atoms": none,
    }
    hub.add(replace(movie(0), **partial))
    screen.open()
    assert screen.text("scan") == "scanning: 64 of 256 rows"
    share = "getComputedStyle(document.getElementById('scan')).backgroundSize"
    assert screen.page.evaluate(share).startswith("25%")
    pixels = screen.pixels(0)
    middle = pixels[:, pixels.shape[1] // 2].astype(int)
    bright = np.flatnonzero(middle.max(axis=1) > 60)
    rows = len(pixels)
    assert ((bright > 0.05 * rows) & (bright < 0.2 * rows)).sum() > 0.05 * rows
    assert not ((bright > 0.35 * rows) & (bright < 0.6 * rows)).any(), "empty"
    hub.add(replace(movie(0), seq=1))
    screen.wait_for_text("frame", "1")
    assert not screen.page.locator("#scan").is_visible()


def test_an_empty_session_says_that_there_is_nothing(
    serve: Callable[[Path], str], screen: "Screen", folder: Path
) -> None:
    record(folder)
    screen.url = serve(folder)
    screen.open()
    screen.wait_for_text("mode", "RECORDED")
    assert screen.text("notice") == "No analysed frame in a session"
    for button in ("pause", "live", "compare", "copy-link", "seek"):
        assert screen.page.is_disabled(f"#{button}")


def test_a_session_of_one_frame_shows_it(
    serve: Callable[[Path], str], screen: "Screen", movie: Movie, folder: Path
) -> None:
    record(folder, replace(movie(0), atoms=Atoms.none(movie(0).model.latents)))
    screen.url = serve(folder)
    screen.open()
    screen.wait_for_text("frames", "of 1")
    assert screen.text("notice") == "No atoms in this frame"
    assert screen.page.is_disabled("#seek")
    assert len(np.unique(screen.pixels(0))) > 50


def test_a_session_of_thousands_of_frames_is_a_page_like_any_other(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(replace(movie(40), seq=2999))
    first = replace(movie(0), atoms=Atoms.none(movie(0).model.latents))
    older = [replace(first, seq=seq) for seq in range(2999)]
    hub.fill(movie(0).stream, older, counted=False)
    hub.set_reach(movie(0).stream, Reach(0, 2999))
    screen.open()
    assert screen.text("frames") == "of 3,000"
    assert screen.page.get_attribute("#seek", "min") == "0"
    assert screen.page.get_attribute("#seek", "max") == "2999"


def test_frames_of_another_size_are_shown_whole(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    hub.add(movie(0))
    screen.open()
    screen.page.click("#compare")
    screen.wait_for_text("picture", "Frame 0 \N{MINUS SIGN} 0")
    hub.add(replace(movie(1), shape=(128, 64), pixel_size_nm=0.05))
    screen.wait_for_text("frame", "1")
    left, right, bottom, top = screen.page.evaluate(AXES)
    assert (right - left, bottom - top) == pytest.approx((6.4, 6.4))
    assert screen.text("picture") == "Frame"
    assert screen.text("remark").startswith("Frame 0 cannot be taken away: ")


def test_a_viewer_in_history_is_told_of_the_end_and_of_a_new_run(
    screen: "Screen", hub: Hub, movie: Movie
) -> None:
    for seq in range(3):
        hub.add(movie(seq))
    screen.open()
    screen.page.locator("#seek").fill("1")
    screen.wait_for_text("mode", "HISTORY")
    hub.end(movie(0).stream)
    screen.wait_for_text("link", "stream ended")
    assert screen.text("mode") == "HISTORY"
    assert screen.text("live") == "To the last frame"
    hub.add(replace(movie(9), seq=0, stream=replace(movie(0).stream, id="second")))
    screen.wait_for_text("behind", "an earlier run")
    assert (screen.text("mode"), screen.text("frame")) == ("HISTORY", "1")
    screen.page.click("#live")
    screen.wait_for_text("mode", "LIVE")
    assert (screen.text("frame"), screen.text("behind")) == ("0", "")


def test_a_session_that_goes_away_is_missed_on_the_page(
    recorded: "Screen", folder: Path
) -> None:
    folder.rename(folder.with_name("elsewhere"))
    recorded.wait_for_text("mode", "STOPPED")
    assert "is gone" in recorded.text("origin")
    recorded.page.locator("#seek").fill("1")
    recorded.page.wait_for_selector("#remark:not(:empty)", timeout=WITHIN_MS)
    assert recorded.text("frame") == "5"
