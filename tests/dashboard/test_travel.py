"""From one frame to another: the page itself, a hub, and a session on disk."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from bokeh.models import Column, ColumnDataSource, Range1d

from dashboard.archive import Archive, Visitor
from dashboard.bookmark import Bookmark, Zoom
from dashboard.drawing import PLACES
from dashboard.hub import Hub
from dashboard.page import Page
from dashboard.runs import Runs
from dashboard.session_feed import SessionFeed
from dashboard.snapshot import LinkState, Reach, channel_name
from dashboard.state import PageState
from streamer.analysis import Analysis, Flag
from streamer.frame import Completeness, Frame
from streamer.session.analyst import AnalysisRecorder
from streamer.session.reader import SessionReader
from streamer.session.recorder import FrameRecorder

type Movie = Callable[[int], Analysis]

WITHIN_S = 30.0


@dataclass
class Desk:
    """A hub, a page of it that paints at once, and perhaps a session."""

    visitor: Visitor | None = None
    sought: Bookmark | None = None
    scene_bytes: int = 2**30
    came: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.hub = Hub("here", lambda: 0.0, self.scene_bytes)
        self.hub.set_link(LinkState.RECEIVING)
        self.state = PageState()
        places = {name: Column(name=name) for name in PLACES}
        self.places = places
        self.page = Page(self.hub, self.state, places, self.sought, self.visitor)
        if self.visitor is not None:
            self.visitor.listen(self.came.set)
        self.look()

    def look(self) -> None:
        """Have everything that is new, and paint it."""
        for _ in range(3):
            self.page.refresh()
            self.page.painted(self.state.sent)

    def show(self, *frames: Analysis) -> None:
        for frame in frames:
            self.hub.add(frame)
            self.look()

    def wish(self, verb: str, what: object = 0) -> tuple[str, str, str]:
        self.page.grant({"verb": verb, "object": what})
        self.look()
        return self.headline()

    def wait(self) -> tuple[str, str, str]:
        """What is shown once the disk has answered."""
        assert self.came.wait(WITHIN_S)
        self.came.clear()
        self.look()
        return self.headline()

    def text(self, name: str) -> str:
        return self.state.texts[name]

    def headline(self) -> tuple[str, str, str]:
        return self.text("mode"), self.text("frame"), self.text("behind")

    def over_time(self) -> list[float]:
        """Where the lines over time have a point."""
        (lines,) = {
            model
            for place in self.places.values()
            for model in place.references()
            if isinstance(model, ColumnDataSource)
            and "mean_crystallinity" in model.column_names
        }
        return [float(each) for each in lines.data["x"]]

    def axis(self, axis: str) -> Range1d:
        """What of it the maps show."""
        (shown,) = {
            model
            for place in self.places.values()
            for model in place.references()
            if isinstance(model, Range1d) and model.name == f"map-{axis}"
        }
        return shown

    def seen(self, axis: str) -> tuple[float, float]:
        """Ends of an axis of the maps."""
        shown = self.axis(axis)
        return shown.start, shown.end


def record(folder: Path, *analyses: Analysis) -> None:
    with FrameRecorder(folder) as frames, AnalysisRecorder(folder) as analyst:
        for each in analyses:
            image = each.preview.image.astype(np.float32)
            frame = Frame(each.stream, each.seq, image, each.pixel_size_nm)
            frames.commit_frame(frame, received_ns=0)
            analyst.commit_analysis(each)


def until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def of_run(run: str, analysis: Analysis) -> Analysis:
    return replace(analysis, stream=replace(analysis.stream, id=run))


@pytest.fixture
def visitor(movie: Movie, tmp_path: Path) -> Iterator[Visitor]:
    """Of a session with frames 0 to 9."""
    record(tmp_path, *(movie(seq) for seq in range(10)))
    with ExitStack() as running:
        yield running.enter_context(Archive(tmp_path)).visitor()


@pytest.fixture
def desk(visitor: Visitor, movie: Movie) -> Desk:
    """A live page on which frames 7 to 9 have come; all before are on disk only."""
    desk = Desk(visitor)
    desk.show(*(movie(seq) for seq in (7, 8, 9)))
    older = [movie(seq) for seq in range(7)]
    desk.hub.fill(movie(0).stream, older, counted=True)
    desk.hub.set_reach(movie(0).stream, Reach(0, 9))
    desk.look()
    return desk


def test_the_slider_reaches_all_of_the_session(desk: Desk) -> None:
    assert (desk.state.first, desk.state.last) == (0, 9)
    assert desk.text("loading") == "0\N{EN DASH}9 recorded"
    assert desk.wish("seek", 8) == ("HISTORY", "8", "1 behind")


def test_a_frame_that_has_left_the_memory_comes_from_disk(
    desk: Desk, movie: Movie
) -> None:
    assert desk.wish("seek", 2)[1] in ("9", "2"), "as before until it is there"
    assert desk.text("loading") in ("loading frame 2…", "0\N{EN DASH}9 recorded")
    assert desk.wait() == ("HISTORY", "2", "7 behind")
    assert desk.text("C") == f"{movie(2).summary.counts['C']:,}"
    assert desk.wish("live") == ("LIVE", "9", "")


def test_steps_go_on_from_the_frame_that_is_being_read(desk: Desk) -> None:
    for _ in range(5):
        desk.page.grant({"verb": "step", "object": -1})
    while desk.state.shown != 4:
        desk.wait()
    assert desk.headline() == ("HISTORY", "4", "5 behind")


def test_both_ends_are_one_wish_away(desk: Desk) -> None:
    desk.wish("first")
    assert desk.wait() == ("HISTORY", "0", "9 behind")
    desk.wish("step", -1)
    assert desk.headline() == ("HISTORY", "0", "9 behind"), "there is none before"
    assert desk.wish("last") == ("PAUSED", "9", "")


def test_a_frame_that_cannot_be_read_leaves_the_page_as_it_was(
    desk: Desk, tmp_path: Path
) -> None:
    table = sorted((tmp_path / "atoms").rglob("*.parquet"))[3]
    table.write_bytes(b"nothing")
    desk.wish("seek", 3)
    assert desk.wait() == ("LIVE", "9", "")
    assert desk.text("remark").startswith("Frame 3 cannot be read: ")
    assert desk.wish("seek", 8) == ("HISTORY", "8", "1 behind")
    assert desk.text("remark") == ""


def test_without_a_session_the_slider_reaches_what_is_in_memory(movie: Movie) -> None:
    desk = Desk(scene_bytes=1)
    desk.show(movie(0), movie(1))
    assert (desk.state.first, desk.state.last) == (1, 1)
    assert desk.text("loading") == "1\N{EN DASH}1 in memory"


def test_steps_in_memory_pass_over_gaps(movie: Movie) -> None:
    desk = Desk()
    desk.show(movie(0), movie(5), movie(6))
    assert desk.wish("step", -1)[1] == "5"
    assert desk.wish("step", -1)[1] == "0"
    assert desk.wish("step", 1)[1] == "5"
    assert desk.wish("step", -(10**30))[1] == "0"


def test_at_its_end_a_stream_that_is_over_is_followed_again(movie: Movie) -> None:
    """Nothing more can come, so that nothing is held back."""
    desk = Desk()
    desk.show(movie(0), movie(1))
    desk.wish("seek", 0)
    desk.hub.end(movie(0).stream)
    desk.look()
    assert desk.headline() == ("HISTORY", "0", "1 behind")
    assert desk.text("live") == "To the last frame"
    assert desk.wish("step", 1) == ("ENDED", "1", "")


def test_a_viewer_in_history_stays_in_its_run_when_a_new_one_begins(
    desk: Desk, movie: Movie
) -> None:
    desk.wish("seek", 8)
    desk.show(of_run("second", movie(0)), of_run("second", movie(1)))
    assert desk.headline() == ("HISTORY", "8", "an earlier run")
    assert (desk.state.first, desk.state.last) == (0, 9), "of that run"
    desk.wish("step", -1)
    assert desk.wait() == ("HISTORY", "7", "an earlier run"), "from disk"
    assert dict(desk.state.link)["run"] == movie(0).stream.id
    assert desk.wish("live") == ("LIVE", "1", "")
    assert (desk.state.first, desk.state.last) == (0, 1)


def test_without_a_session_an_earlier_run_is_the_frame_that_is_held(
    movie: Movie,
) -> None:
    desk = Desk()
    desk.show(movie(3), movie(4))
    desk.wish("seek", 3)
    desk.show(of_run("second", movie(0)))
    assert desk.headline() == ("HISTORY", "3", "an earlier run")
    assert desk.wish("step", 1) == ("HISTORY", "3", "an earlier run")
    assert desk.wish("live") == ("LIVE", "0", "")


def test_frames_of_another_model_are_shown_too(movie: Movie, tmp_path: Path) -> None:
    """What came before the swap has its own quantities, and its own plots."""
    atoms = replace(movie(0).atoms, latents={"old": movie(0).atoms.latents["z1"]})
    old = replace(movie(0).model, latents=("old",))
    first = replace(movie(0), model=old, atoms=atoms)
    record(tmp_path, first)
    with Archive(tmp_path) as archive:
        desk = Desk(archive.visitor())
        desk.show(movie(1))
        desk.hub.set_reach(movie(0).stream, Reach(0, 1))
        desk.wish("first")
        assert desk.wait() == ("HISTORY", "0", "1 behind")
        assert desk.state.mapped == "old"
        assert desk.wish("live") == ("LIVE", "1", "")


def test_two_frames_are_compared_until_that_is_ended(movie: Movie) -> None:
    desk = Desk()
    desk.show(movie(0), movie(1))
    desk.wish("compare")
    assert desk.text("picture") == "Frame 1 \N{MINUS SIGN} 1"
    desk.show(movie(2))
    assert desk.text("picture") == "Frame 2 \N{MINUS SIGN} 1"
    desk.wish("seek", 0)
    assert desk.text("picture") == "Frame 0 \N{MINUS SIGN} 1"
    desk.wish("compare")
    assert desk.text("picture") == "Frame"


def test_frames_that_cannot_be_compared_are_shown_as_they_are(movie: Movie) -> None:
    desk = Desk()
    desk.show(movie(0))
    desk.wish("compare")
    desk.show(replace(movie(1), origin_nm=(5.0, 0.0)))
    assert desk.text("picture") == "Frame"
    assert desk.text("remark").endswith("it shows another part of the sample")


@pytest.mark.parametrize(
    ("completeness", "rows", "scan", "flags"),
    [
        (Completeness.COMPLETE, None, "", ""),
        (Completeness.PARTIAL, 48, "scanning: 48 of 192 rows", ""),
        (Completeness.ABORTED, 48, "the scan was stopped: 48 of 192 rows", ""),
        (Completeness.PARTIAL, None, "scanning", ""),
    ],
)
def test_how_much_of_a_frame_was_scanned_is_said(
    movie: Movie, completeness: Completeness, rows: int | None, scan: str, flags: str
) -> None:
    desk = Desk()
    partial = () if completeness is Completeness.COMPLETE else (Flag.PARTIAL,)
    said = {"completeness": completeness, "rows_so_far": rows, "flags": partial}
    desk.show(replace(movie(0), **said))
    assert (desk.text("scan"), desk.text("flags")) == (scan, flags)
    assert desk.state.scanned == (None if rows is None else 0.25)


RUN = "00000000-0000-4000-8000-000000000000"


def test_a_link_opens_its_frame_its_part_and_its_choices(
    visitor: Visitor, movie: Movie
) -> None:
    wanted = Bookmark(None, RUN, 3, Zoom(1.0, 2.0, 0.5), {"atoms": 0, "nonsense": 7})
    desk = Desk(visitor, wanted)
    desk.hub.add(movie(9))
    desk.hub.set_reach(movie(9).stream, Reach(0, 9))
    desk.look()
    assert desk.wait() == ("HISTORY", "3", "1 behind")
    assert desk.seen("x") == (0.75, 1.25)
    assert desk.seen("y") == (2.25, 1.75)
    assert dict(desk.state.link) == {
        "channel": "simulator · HAADF", "run": RUN, "atoms": "0",
    }  # fmt: skip


@pytest.mark.parametrize("against", [8, 2], ids=["in memory", "on disk"])
def test_a_link_opens_the_difference_that_it_was_made_of(
    visitor: Visitor, movie: Movie, against: int
) -> None:
    desk = Desk(visitor, Bookmark(None, RUN, 9, against=against))
    desk.show(*(movie(seq) for seq in (7, 8, 9)))
    desk.hub.set_reach(movie(9).stream, Reach(0, 9))
    desk.look()
    if against == 2:
        desk.wait()
    assert desk.state.comparing
    assert desk.text("picture") == f"Frame 9 \N{MINUS SIGN} {against}"
    assert desk.state.link["against"] == str(against)
    desk.wish("compare")
    assert "against" not in desk.state.link


def test_a_frame_to_compare_with_that_is_gone_is_told(movie: Movie) -> None:
    desk = Desk(sought=Bookmark(None, RUN, 9, against=2))
    desk.show(movie(8), movie(9))
    assert not desk.state.comparing
    assert desk.text("remark") == (
        "Frame 2, to compare with, is not in memory any more"
    )


def test_a_frame_of_a_session_changes_nothing_about_its_runs(
    movie: Movie, tmp_path: Path
) -> None:
    record(tmp_path, *(of_run("first", movie(seq)) for seq in range(2)))
    record(tmp_path, of_run("second", movie(0)))
    with SessionReader(tmp_path) as session:
        runs = Runs(session)
        before = runs.by_channel(session.streams())
        record(tmp_path, of_run("second", movie(1)))
        assert runs.by_channel(session.streams()) == before
        (channel,) = before.values()
        assert [run.frames for run in channel] == [2, None]


def test_a_link_to_an_earlier_run_opens_it_from_disk(
    visitor: Visitor, movie: Movie
) -> None:
    desk = Desk(visitor, Bookmark(None, RUN, 3))
    desk.show(of_run("second", movie(0)))
    assert desk.wait() == ("HISTORY", "3", "an earlier run")
    assert (desk.state.first, desk.state.last) == (0, 9)


@pytest.mark.parametrize(
    ("wanted", "headline", "remark"),
    [
        pytest.param(
            Bookmark(None, RUN, 0), ("HISTORY", "1", "1 behind"),
            "Frame 0 is not in memory any more; this is frame 1", id="left memory",
        ),
        pytest.param(
            Bookmark(None, RUN, 7), ("LIVE", "2", ""), "Frame 7 has not come yet",
            id="not yet",
        ),
        pytest.param(
            Bookmark("a · b", "gone-run-of-a", 7), ("LIVE", "2", ""),
            "Frame 7 of a · b, run gone-run, is not here any more", id="gone",
        ),
        pytest.param(
            Bookmark("a · b"), ("LIVE", "2", ""),
            "a · b has no frame yet", id="no such channel yet",
        ),
        pytest.param(Bookmark(None, RUN), ("LIVE", "2", ""), "", id="the newest"),
    ],
)  # fmt: skip
def test_a_link_to_what_is_not_there_says_so_and_shows_what_is(
    movie: Movie, wanted: Bookmark, headline: tuple[str, str, str], remark: str
) -> None:
    desk = Desk(sought=wanted)
    desk.hub.add(movie(1))
    desk.show(movie(2))
    assert (desk.headline(), desk.text("remark")) == (headline, remark)


def test_a_link_to_a_channel_that_has_no_frame_yet_waits_for_it(movie: Movie) -> None:
    other = of_run("another", movie(0))
    other = replace(other, stream=replace(other.stream, channel="MAADF"))
    desk = Desk(sought=Bookmark(channel_name(other.stream)))
    desk.show(movie(0))
    assert desk.state.channel == "simulator · HAADF"
    desk.show(other)
    assert desk.state.channel == "simulator · MAADF"
    assert (desk.headline()[0], desk.text("remark")) == ("LIVE", "")


def test_a_part_that_a_link_asks_for_is_shown_once_and_then_the_viewers(
    movie: Movie,
) -> None:
    desk = Desk(sought=Bookmark(None, RUN, 9, zoom=Zoom(1.5, 1.5, 1.0)))
    desk.show(movie(1))
    assert desk.state.seeking
    assert desk.seen("x") == pytest.approx((1.0, 2.0))
    desk.axis("x").update(start=0.5, end=1.5)
    desk.show(movie(2))
    assert desk.seen("x") == pytest.approx((0.5, 1.5)), "as the viewer moved it"


@pytest.mark.parametrize("verb", ["pause", "live", "first"])
def test_who_goes_elsewhere_is_not_led_by_a_link_any_more(
    movie: Movie, verb: str
) -> None:
    desk = Desk(sought=Bookmark("a mistyped · channel", zoom=Zoom(1.5, 1.5, 1.0)))
    desk.show(movie(1), movie(2))
    assert desk.state.seeking
    desk.wish(verb)
    assert not desk.state.seeking
    assert "no frame yet" not in desk.text("remark")
    assert desk.seen("x") == pytest.approx((-1 / 128, 3 - 1 / 128)), "all of it"


def test_a_link_to_a_channel_that_a_recording_does_not_have_says_so(
    movie: Movie,
) -> None:
    desk = Desk(sought=Bookmark("a · b"))
    desk.hub.set_link(LinkState.RECORDED)
    desk.show(movie(0))
    assert desk.text("remark") == "What this link shows of a · b is not here any more"


def test_a_page_opens_on_whole_frames_where_there_are_any(movie: Movie) -> None:
    scanning = of_run("another", movie(0))
    scanning = replace(
        scanning,
        stream=replace(scanning.stream, channel="HAADF (scanning)"),
        flags=(Flag.PARTIAL,),
        completeness=Completeness.PARTIAL,
        rows_so_far=9,
    )
    desk = Desk()
    desk.show(scanning)
    assert desk.state.channel == "simulator · HAADF (scanning)", "better than nothing"
    desk.show(movie(0))
    assert desk.state.channel == "simulator · HAADF"
    desk.wish("channel", "simulator · HAADF (scanning)")
    desk.show(movie(1))
    assert desk.state.channel == "simulator · HAADF (scanning)", "was asked for"


def test_a_link_to_a_frame_that_comes_later_shows_it_when_it_is_there(
    movie: Movie,
) -> None:
    desk = Desk(sought=Bookmark(None, RUN, 2))
    desk.show(movie(1))
    before = desk.state.sent
    desk.look()
    assert desk.state.sent == before, "nothing is sent while nothing is new"
    desk.show(movie(2), movie(3))
    assert desk.headline() == ("PAUSED", "2", "1 behind")


def test_a_part_that_is_not_of_the_frame_is_not_shown(movie: Movie) -> None:
    desk = Desk(sought=Bookmark(zoom=Zoom(1e9, -1e9, 1e-9)))
    desk.show(movie(1))
    assert desk.seen("x") == pytest.approx((-1 / 128, 3 - 1 / 128))


def test_an_earlier_run_of_a_session_is_chosen_and_shown_with_its_plots(
    movie: Movie, tmp_path: Path
) -> None:
    first, second = "first-run", "second-run"
    record(tmp_path, *(of_run(first, movie(seq)) for seq in range(4)))
    record(tmp_path, *(of_run(second, movie(seq)) for seq in range(2)))
    with Archive(tmp_path) as archive:
        desk = Desk(archive.visitor())
        with SessionFeed(desk.hub, tmp_path):
            until(lambda: desk.hub.snapshot.link.state is LinkState.RECORDED)
            until(lambda: len(desk.hub.snapshot.runs) > 0)
            desk.look()
            assert desk.headline()[1] == "1"
            assert desk.state.run == second
            assert list(desk.state.runs) == [first, second]
            for number, (frames, words) in enumerate(
                zip((4, 2), desk.state.runs.values(), strict=True), 1
            ):
                when = r"\d+ \w+ \d\d:\d\d"
                assert re.fullmatch(rf"run {number}, {when}, {frames} frames", words)
            desk.wish("run", first)
            assert desk.wait()[1] == "3"
            assert desk.state.run == first
            assert desk.over_time() == [0, 1, 2, 3]
            desk.wish("first")
            assert desk.wait()[1] == "0"
            assert (desk.state.first, desk.state.last) == (0, 3)
            desk.wish("run", second)
            assert desk.headline()[:2] == ("RECORDED", "1")
            desk.wish("run", "no such run")
            assert desk.headline()[:2] == ("RECORDED", "1")
