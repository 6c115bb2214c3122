"""What a page does with wishes and frames: the page itself, without a server."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from bokeh.models import Circle, Column, ColumnDataSource, LinearColorMapper, Plot

from dashboard.drawing import PLACES
from dashboard.figures.series import LINES
from dashboard.history import begun
from dashboard.hub import Hub, Paint
from dashboard.page import PAINT_TIMEOUT_S, Page
from dashboard.snapshot import LinkState
from dashboard.state import PageState
from dashboard.trend import trend
from streamer.analysis import Analysis, Flag
from streamer.atoms import Atoms
from streamer.frame import Completeness, Stream

type Movie = Callable[[int], Analysis]


@dataclass
class Desk:
    """A hub, one page of it, and a clock that stands still."""

    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.hub = Hub("tcp://127.0.0.1:5556", lambda: self.now_s)
        self.hub.set_link(LinkState.RECEIVING)
        self.state = PageState()
        self.places = {name: Column(name=name) for name in PLACES}
        self.page = Page(self.hub, self.state, self.places)
        self.hub.listen(self.page.refresh)
        self.page.refresh()

    def paint(self) -> None:
        self.page.painted(self.state.sent)

    def show(self, *frames: Analysis) -> None:
        for frame in frames:
            self.paint()
            self.hub.add(frame)

    def wish(self, verb: str, what: object = 0) -> None:
        self.paint()
        self.page.grant({"verb": verb, "object": what})

    def headline(self) -> tuple[str, str, str]:
        texts = self.state.texts
        return texts["mode"], texts["frame"], texts["behind"]

    def source(self, column: str) -> dict[str, np.ndarray]:
        """What the browser has of the source with `column`."""
        for place in self.places.values():
            for model in place.references():
                if isinstance(model, ColumnDataSource) and column in model.data:
                    return model.data
        raise AssertionError(f"no source with {column}")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_browser_that_is_painting_is_left_alone(desk: Desk, movie: Movie) -> None:
    desk.show(movie(0))
    desk.hub.add(movie(1))
    desk.hub.add(movie(2))
    assert desk.headline() == ("LIVE", "0", "")
    desk.paint()
    assert desk.headline() == ("LIVE", "2", "")


def test_a_tab_that_never_paints_is_served_now_and_then(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0))
    desk.hub.add(movie(1))
    desk.now_s += PAINT_TIMEOUT_S
    desk.page.refresh()
    assert desk.headline() == ("LIVE", "1", "")


def test_nothing_is_sent_when_nothing_is_new(desk: Desk, movie: Movie) -> None:
    desk.show(movie(0))
    before = desk.state.sent
    desk.paint()
    desk.page.refresh()
    assert desk.state.sent == before


def test_a_paused_page_keeps_its_frame_and_counts_those_behind_it(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0), movie(1))
    desk.wish("pause")
    desk.show(movie(2), movie(3))
    assert desk.headline() == ("PAUSED", "1", "2 behind")
    assert len(desk.source("score_percent")["x"]) == len(movie(1).atoms)


def test_a_page_pauses_at_the_frame_that_its_viewer_sees(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0))
    desk.hub.add(movie(1))
    desk.page.grant({"verb": "pause", "object": 0})
    desk.paint()
    assert desk.headline() == ("PAUSED", "0", "1 behind")


def test_time_goes_on_in_the_plots_over_frames_while_the_lattice_is_held(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0))
    desk.wish("pause")
    desk.show(movie(1), movie(2))
    assert desk.source("lattice_constant_nm")["seq"].tolist() == [0, 1, 2]


def test_going_back_shows_an_earlier_frame_and_live_the_newest(
    desk: Desk, movie: Movie
) -> None:
    desk.show(*(movie(seq) for seq in range(5)))
    desk.wish("seek", 1)
    assert desk.headline() == ("HISTORY", "1", "3 behind")
    assert len(desk.source("score_percent")["x"]) == len(movie(1).atoms)
    desk.wish("live")
    assert desk.headline() == ("LIVE", "4", "")


def test_a_held_frame_stays_when_it_has_left_the_memory(movie: Movie) -> None:
    desk = Desk()
    desk.hub._scene_bytes = 1
    desk.show(movie(0))
    desk.wish("pause")
    desk.show(movie(1), movie(2))
    assert desk.headline() == ("PAUSED", "0", "2 behind")
    assert (desk.state.first, desk.state.last) == (2, 2)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"verb": "seek", "object": "soon"},
        {"verb": "seek"},
        {"verb": "channel", "object": "no such channel"},
        {"verb": "fly", "object": 1},
        {"verb": 7, "object": 7},
    ],
    ids=str,
)
def test_a_wish_that_makes_no_sense_changes_nothing(
    desk: Desk, movie: Movie, wish: dict[str, object]
) -> None:
    desk.show(movie(0), movie(1))
    desk.paint()
    desk.page.grant(wish)
    assert desk.headline() == ("LIVE", "1", "")


@pytest.mark.parametrize(
    "wish", ["pause", "live", "seek", "step", "atoms", "fold", "map"]
)
def test_wishes_before_the_first_frame_are_harmless(
    desk: Desk, movie: Movie, wish: str
) -> None:
    desk.wish(wish)
    desk.show(movie(0))
    assert desk.headline() == ("LIVE", "0", "")


def test_another_channel_is_shown_when_it_is_chosen(desk: Desk, movie: Movie) -> None:
    other = Stream("other", "simulator", "MAADF")
    desk.show(movie(3), replace(movie(8), stream=other))
    assert desk.state.channels == ["simulator · HAADF", "simulator · MAADF"]
    assert desk.headline() == ("LIVE", "3", "")
    desk.wish("channel", "simulator · MAADF")
    assert desk.headline() == ("LIVE", "8", "")
    assert desk.state.channel == "simulator · MAADF"


def test_figures_are_kept_from_frame_to_frame(desk: Desk, movie: Movie) -> None:
    desk.show(movie(0))
    before = [place.children for place in desk.places.values()]
    desk.show(movie(1))
    assert [place.children for place in desk.places.values()] == before
    assert len(desk.state.plots) == 4 + 2 * 4 + len(LINES)


def test_figures_are_made_anew_for_a_model_with_other_latents(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0))
    one = replace(movie(1).model, latents=("z1",))
    desk.show(replace(movie(1), model=one))
    assert len(desk.state.plots) == 4 + 2 * 2 + len(LINES)
    assert desk.state.mapped == "z1"


def test_a_frame_that_is_held_survives_the_coming_of_another_model(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0))
    desk.wish("pause")
    one = replace(movie(1).model, latents=("z1",))
    desk.show(replace(movie(1), model=one))
    assert desk.headline() == ("PAUSED", "0", "1 behind")
    desk.wish("live")
    assert desk.headline() == ("LIVE", "1", "")


def test_the_whole_frame_is_shown_when_its_size_changes(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0), replace(movie(1), pixel_size_nm=0.05, shape=(100, 200)))
    (frame_map,) = desk.places["frame-map"].children
    assert isinstance(frame_map, Plot)
    ends = (frame_map.x_range.start, frame_map.x_range.end)
    assert ends == pytest.approx((-0.025, 9.975))
    ends = (frame_map.y_range.start, frame_map.y_range.end)
    assert ends == pytest.approx((7.475, -2.525)), "y grows downward"


def test_a_zoom_stays_from_frame_to_frame(desk: Desk, movie: Movie) -> None:
    desk.show(movie(0))
    (frame_map,) = desk.places["frame-map"].children
    assert isinstance(frame_map, Plot)
    frame_map.x_range.start = 1.0
    desk.show(movie(1))
    assert frame_map.x_range.start == 1.0


def test_the_three_maps_share_pan_zoom_and_atoms(desk: Desk, movie: Movie) -> None:
    desk.show(movie(0))
    maps = [desk.places[name].children[0] for name in PLACES[:3]]
    assert len({(each.x_range.id, each.y_range.id) for each in maps}) == 1
    sources = {
        renderer.data_source.id
        for each in maps
        for renderer in each.renderers
        if isinstance(renderer.glyph, Circle)
    }
    assert len(sources) == 1


def test_atoms_on_the_frame_can_be_switched_off(desk: Desk, movie: Movie) -> None:
    desk.show(movie(0))
    desk.wish("atoms", 0)
    (frame_map,) = desk.places["frame-map"].children
    dots = [each for each in frame_map.renderers if isinstance(each.glyph, Circle)]
    assert [each.visible for each in dots] == [False]
    assert frame_map.renderers[0].visible, "the frame itself"


def test_folded_angles_repeat_their_colours_after_half_a_period(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0))
    desk.wish("fold", 1)
    (angle_map,) = desk.places["angle-map"].children
    discs, _ = angle_map.renderers
    colours = discs.glyph.fill_color.transform
    assert isinstance(colours, LinearColorMapper)
    assert (colours.low, colours.high) == (-60, 60)
    half = len(colours.palette) // 2
    assert colours.palette[:half] == colours.palette[half:]


def test_a_step_goes_to_the_next_frame_that_there_is(desk: Desk, movie: Movie) -> None:
    desk.show(*(movie(seq) for seq in (0, 1, 4)))
    seen = []
    for frames in (-1, -1, -1, 1, 1, 1):
        desk.wish("step", frames)
        seen.append(desk.headline()[:2])
    assert seen == [
        *(("HISTORY", each) for each in "1001"),
        *(("PAUSED", each) for each in "44"),
    ], "the newest is no earlier frame"


def order_colours(desk: Desk) -> tuple[str, float, float]:
    """What the third map shows, and between which values."""
    (order_map,) = desk.places["order-map"].children
    discs = order_map.renderers[0]
    colours = discs.glyph.fill_color.transform
    return discs.glyph.fill_color.field, colours.low, colours.high


def test_the_third_map_keeps_its_colours_while_a_frame_is_held(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0))
    desk.wish("pause")
    before = order_colours(desk)
    desk.show(*(movie(seq) for seq in range(10, 60, 10)))
    desk.wish("atoms", 0)
    assert order_colours(desk) == before
    desk.wish("live")
    assert order_colours(desk) != before


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("z2", ("z2", None, None)),
        ("score_percent", ("score_percent", 0, 100)),
        ("position_sigma_pm", ("position_sigma_pm", 0, 20)),
        ("species", ("crystallinity", None, None)),
        ("no such thing", ("crystallinity", None, None)),
    ],
)
def test_the_third_map_shows_what_is_chosen_if_there_is_such_a_quantity(
    desk: Desk, movie: Movie, chosen: str, expected: tuple[str, object, object]
) -> None:
    desk.show(movie(0))
    desk.wish("map", chosen)
    column, low, high = expected
    if low is None:
        usual = trend(begun(movie(0))).usual[column]
        low, high = usual.low, usual.high
    assert order_colours(desk) == (column, low, high)
    assert desk.state.mapped == column
    assert column in desk.state.mappable


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"atoms": Atoms.none(("crystallinity", "z1", "z2"))}, id="none"),
        pytest.param(
            {"pixel_size_nm": None, "atoms": Atoms.none()}, id="no calibration"
        ),
        pytest.param({"time_s": np.nan, "dose_e_nm2": np.nan}, id="no time, no dose"),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["first frame", "later frame"])
def test_a_poor_frame_is_shown_all_the_same(
    desk: Desk, movie: Movie, change: dict[str, object], first: bool
) -> None:
    if not first:
        desk.show(movie(0))
    desk.show(replace(movie(1), **change))
    assert desk.headline() == ("LIVE", "1", "")


@pytest.mark.parametrize(
    ("state", "ended", "age_s"),
    [
        (LinkState.RECEIVING, False, 12.0),
        (LinkState.SILENT, False, 12.0),
        (LinkState.RECEIVING, True, None),
        (LinkState.RECORDED, False, None),
    ],
)
def test_the_age_of_the_last_frame_counts_while_another_is_awaited(
    desk: Desk, movie: Movie, state: LinkState, ended: bool, age_s: float | None
) -> None:
    desk.hub.add(movie(0))
    if ended:
        desk.hub.end(movie(0).stream)
    desk.hub.set_link(state)
    desk.now_s += 12.0
    desk.paint()
    assert desk.state.quiet_s == age_s


def test_what_waited_for_its_analysis_is_as_old_as_its_frame_and_no_silence(
    desk: Desk, movie: Movie
) -> None:
    desk.hub.set_link(LinkState.RECEIVING)
    desk.hub.add(replace(movie(0), latency_s=300.0), age_s=5.0)
    desk.paint()
    assert (desk.state.quiet_s, desk.state.waited_s) == (5.0, 300.0)


def test_the_progress_of_a_scan_is_told_beside_the_last_whole_frame(
    desk: Desk, movie: Movie
) -> None:
    whole = movie(0)
    partial = replace(
        movie(1),
        stream=replace(whole.stream, id="growing", channel="HAADF (scanning)"),
        flags=(Flag.PARTIAL,),
        completeness=Completeness.PARTIAL,
        rows_so_far=48,
    )
    desk.show(whole)
    desk.now_s += 1.0
    desk.show(partial)
    desk.paint()
    assert desk.headline() == ("LIVE", "0", "")
    assert desk.state.texts["scan"] == "scanning: 48 of 192 rows"
    assert desk.state.scanned == 0.25
    desk.now_s += 1.0
    desk.show(movie(1))
    desk.paint()
    assert (desk.state.texts["scan"], desk.state.scanned) == ("", None)


def test_the_hub_learns_how_long_a_new_frame_took_to_be_seen(
    desk: Desk, movie: Movie
) -> None:
    paints: list[Paint] = []
    desk.hub.watch_paints(paints.append)
    desk.show(movie(0))
    desk.now_s += 0.25
    desk.paint()
    desk.wish("fold", 1)
    desk.paint()
    (paint,) = paints
    assert (paint.seq, paint.painted_s - paint.arrived_s) == (0, 0.25)
    desk.wish("pause")
    desk.wish("seek", 0)
    desk.paint()
    assert len(paints) == 1, "an old frame is no news"


@pytest.mark.parametrize(
    ("told", "refusal", "name"),
    [
        ('{"format": "csv", "frame": 0}', "", "simulator-HAADF-frame-0.csv"),
        ('{"format": "csv", "frame": 1}', "", "simulator-HAADF-frame-1.csv"),
        ('{"format": "csv", "frame": 9}', "", "simulator-HAADF-frame-1.csv"),
        ('{"format": "doc", "frame": 0}', "atoms are taken away as csv or parquet", ""),
    ],
    ids=["seen while the next came", "newest", "long gone", "no such format"],
)
def test_a_file_is_of_the_frame_that_its_viewer_saw(
    desk: Desk, movie: Movie, told: str, refusal: str, name: str
) -> None:
    desk.show(movie(0), movie(1))
    desk.wish("take", told)
    assert (desk.state.refusal, desk.state.file_name) == (refusal, name)
    assert desk.state.file is None, "nothing of it stays in memory"


def test_nothing_is_handed_over_before_the_first_frame(desk: Desk) -> None:
    desk.wish("take", '{"format": "csv", "frame": 0}')
    assert desk.state.file_name == ""


def test_files_and_notes_are_of_the_run_that_their_viewer_saw(
    desk: Desk, movie: Movie
) -> None:
    desk.show(movie(0), movie(1), movie(2))
    desk.wish("seek", 1)
    anew = Stream("anew", "simulator", "HAADF")
    desk.show(*(replace(movie(40 + n), seq=n, stream=anew) for n in range(2)))
    saved: list[bytes | None] = []
    desk.state.on_change("file", lambda _attr, _old, file: saved.append(file))
    run = movie(0).stream.id
    for told in (f', "run": "{run}"', ""):
        desk.wish("take", f'{{"format": "csv", "frame": 1{told}}}')
        desk.paint()
    desk.page.grant({"verb": "note", "object": "a hole", "seq": 1, "run": run})
    desk.page.grant({"verb": "note", "object": "another", "seq": 1, "run": "unknown"})
    rows = [file.count(b"\n") - 1 for file in saved if file]
    assert rows == [len(movie(1).atoms)] * 2
    assert [note.stream_id for note in desk.hub.snapshot.notes] == [run, run]
    desk.wish("live")
    desk.page.grant({"verb": "note", "object": "late", "seq": 1, "run": run})
    assert desk.hub.snapshot.notes[-1].stream_id == run
