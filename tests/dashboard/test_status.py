# ruff: noqa: RUF001  the signs that the page writes
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashboard.hub import Hub
from dashboard.missing import Missing
from dashboard.scene import ATOMS_DRAWN
from dashboard.snapshot import LinkState
from dashboard.status import FLAG_WORDS, dose, duration, status
from dashboard.view import View
from streamer.analysis import Analysis, Flag
from streamer.atoms import Atoms

type Movie = Callable[[int], Analysis]

ORIGIN = "tcp://127.0.0.1:5556"


@pytest.fixture
def hub() -> Hub:
    return Hub(ORIGIN, lambda: 0.0)


def texts(hub: Hub, view: View | None = None) -> dict[str, str]:
    return dict(status(view or View(), hub.snapshot).texts)


@pytest.mark.parametrize(
    ("state", "frames", "ended", "badge"),
    [
        (LinkState.WAITING, 0, False, "WAITING"),
        (LinkState.RECEIVING, 0, False, "WAITING"),
        (LinkState.RECEIVING, 1, False, "LIVE"),
        (LinkState.RECEIVING, 1, True, "ENDED"),
        (LinkState.SILENT, 1, False, "SILENT"),
        (LinkState.RECORDED, 1, True, "RECORDED"),
        (LinkState.FAILED, 1, False, "STOPPED"),
    ],
)
def test_live_stands_there_only_while_frames_can_come(
    hub: Hub, movie: Movie, state: LinkState, frames: int, ended: bool, badge: str
) -> None:
    hub.set_link(state)
    for seq in range(frames):
        hub.add(movie(seq))
    if ended:
        hub.end(movie(0).stream)
    assert texts(hub)["mode"] == badge


@pytest.mark.parametrize(
    ("state", "words", "notice"),
    [
        (LinkState.WAITING, "", f"Waiting for the first frame from {ORIGIN}"),
        (
            LinkState.RECEIVING,
            "",
            f"The service at {ORIGIN} is heard, and has no frame yet: does its source "
            "send?",
        ),
        (LinkState.RECORDED, "", f"No analysed frame in {ORIGIN}"),
        (LinkState.FAILED, "the index is gone", "Stopped: the index is gone"),
    ],
)
def test_an_empty_page_says_why_it_is_empty(
    hub: Hub, state: LinkState, words: str, notice: str
) -> None:
    hub.set_link(state, words)
    assert texts(hub)["notice"] == notice


def test_a_page_says_all_its_places_before_and_after_the_first_frame(
    hub: Hub, movie: Movie
) -> None:
    before = texts(hub)
    hub.add(movie(0))
    assert texts(hub).keys() == before.keys()


def test_a_frame_in_words(hub: Hub, movie: Movie) -> None:
    hub.set_link(LinkState.RECEIVING)
    hub.add(replace(movie(0), latency_s=0.4))
    hub.add(replace(movie(2), latency_s=0.4))
    counts = movie(2).summary.counts
    said = texts(hub)
    expected = {
        "frame": "2",
        "frames": "of 2",
        "stream": "simulator · HAADF",
        "time": "0:01:07",
        "dose": "4.80 × 10⁷ e/nm²",
        "C": str(counts["C"]),
        "Si": str(counts["Si"]),
        "latency": "0.40 s",
        "stages": "0.37 of 33.5 s",
        "model": "graphene-si",
        "hash": "5f3a9c41",
        "provider": "CPU",
        "half-period": "fold to 60°",
        "gaps": "none",
        "notice": "",
        "flags": "",
        "origin": ORIGIN,
    }
    assert {name: said[name] for name in expected} == expected


def test_every_flag_has_its_words(hub: Hub, movie: Movie) -> None:
    hub.add(replace(movie(0), flags=(Flag.PARTIAL, Flag.NO_ATOMS)))
    assert texts(hub)["flags"] == "partial frame · no atoms found"
    assert set(FLAG_WORDS) == set(Flag)


def test_flags_of_the_pixel_size_say_what_the_lattice_tells(
    hub: Hub, movie: Movie
) -> None:
    flags = (Flag.PARTIAL, Flag.PIXEL_SIZE_DOUBTFUL)
    hub.add(replace(movie(0), flags=flags, estimated_pixel_size_nm=0.02004))
    said = "partial frame · pixel size contradicts the lattice: 0.02004 nm"
    assert texts(hub)["flags"] == said


def test_a_frame_without_atoms_says_so(hub: Hub, movie: Movie) -> None:
    hub.add(replace(movie(0), atoms=Atoms.none()))
    assert texts(hub)["notice"] == "No atoms in this frame"


def test_atoms_that_are_not_drawn_are_counted(hub: Hub, movie: Movie) -> None:
    hub.add(movie(0))
    scene = View().shown_scene(hub.snapshot)
    assert scene is not None
    columns = scene.table.columns()
    crowded = {name: np.resize(each, ATOMS_DRAWN + 1) for name, each in columns.items()}
    crowd = replace(scene, table=Atoms.from_columns(crowded))
    expected = f"{len(scene.atoms['x'])} of 60,001 atoms are drawn"
    assert texts(hub, View(held=crowd))["notice"] == expected


def test_lost_frames_are_bad_news(hub: Hub, movie: Movie) -> None:
    hub.lose(movie(0).stream, Missing(1, 1200))
    hub.add(movie(1200))
    said = status(View(), hub.snapshot)
    assert (said.texts["gaps"], said.tones["gaps"]) == ("1,200 lost", "bad")


@pytest.mark.parametrize(
    ("latency_s", "tone"), [(0.4, "good"), (20.0, "warn"), (33.5, "bad"), (99.0, "bad")]
)
def test_latency_is_judged_against_the_time_of_a_frame(
    hub: Hub, movie: Movie, latency_s: float, tone: str
) -> None:
    hub.add(replace(movie(0), latency_s=latency_s))
    assert status(View(), hub.snapshot).tones["latency"] == tone


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0:00:00"), (59.9, "0:00:59"), (3723.0, "1:02:03"), (math.nan, "–")],
)
def test_time_is_written_in_hours_minutes_and_seconds(
    seconds: float, text: str
) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("electrons_nm2", "text"),
    [
        (1.6e7, "1.60 × 10⁷ e/nm²"),
        (3.0e10, "3.00 × 10¹⁰ e/nm²"),
        (0.5, "5.00 × 10⁻¹ e/nm²"),
        (math.nan, "–"),
        (0.0, "–"),
    ],
)
def test_dose_is_written_with_its_power_of_ten(electrons_nm2: float, text: str) -> None:
    assert dose(electrons_nm2) == text
