"""What is marked in the plots over time, and where."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from dashboard.axis import Axis
from dashboard.history import History, begun, extended
from dashboard.marks import marks, strips
from dashboard.missing import RANGES_REMEMBERED, Missing, with_missing
from dashboard.trend import trend
from streamer.analysis import Analysis
from streamer.session.notes import Note

type Movie = Callable[[int], Analysis]


def history_of(movie: Movie, *seqs: int) -> History:
    result = begun(movie(seqs[0]))
    for seq in seqs[1:]:
        result = extended(result, movie(seq), scene_bytes=1)
    return result


@pytest.mark.parametrize(
    ("axis", "left", "right"),
    [
        (Axis.FRAMES, 1.5, 4.5),
        (Axis.TIME, 1.5 * 33.5, 4.5 * 33.5),
        (Axis.DOSE, 2.5 * 0.16, 5.5 * 0.16),
    ],
)
def test_a_gap_lies_where_its_frames_would(
    movie: Movie, axis: Axis, left: float, right: float
) -> None:
    history = history_of(movie, 0, 1, 5, 6)
    (strip,) = strips([Missing(2, 4, "too late")], history, trend(history, axis))
    assert (strip.left, strip.right) == pytest.approx((left, right))
    assert strip.words == "frames 2 to 4 lost: too late"


def test_a_gap_at_the_end_lies_beyond_the_last_frame(movie: Movie) -> None:
    history = history_of(movie, 0, 1)
    (strip,) = strips([Missing(2, 2)], history, trend(history, Axis.TIME))
    assert (strip.left, strip.right) == pytest.approx((1.5 * 33.5, 2.5 * 33.5))
    assert strip.words == "frame 2 lost"


def test_models_and_notes_are_marked_at_their_frames(movie: Movie) -> None:
    other = replace(movie(0).model, name="other", sha256="ab" * 32, latents=("z9",))
    history = extended(history_of(movie, 0, 1), replace(movie(2), model=other), 1)
    notes = [
        Note(0, history.stream.id, 1, "a hole"),
        Note(0, "another stream", 1, "elsewhere"),
    ]
    model, note = marks(notes, history, trend(history, Axis.TIME))
    assert (model.kind, model.x) == ("model", pytest.approx(1.5 * 33.5))
    assert model.words.startswith(
        "frame 2: model graphene-si 5f3a9c41 → other abababab"
    )
    assert "z9: begins here" in model.words
    assert "crystallinity, z1, z2: ends here" in model.words
    assert (note.kind, note.x, note.words) == (
        "note", pytest.approx(33.5), "frame 1: a hole",
    )  # fmt: skip


def test_frames_without_a_time_are_placed_by_their_neighbours(movie: Movie) -> None:
    history = extended(history_of(movie, 0, 2), replace(movie(1), time_s=math.nan), 1)
    note = Note(0, history.stream.id, 1, "a hole")
    (mark,) = marks([note], history, trend(history, Axis.TIME))
    assert mark.x == pytest.approx(33.5)


def test_neighbouring_losses_are_one_and_their_number_is_bounded() -> None:
    known: tuple[Missing, ...] = ()
    for seq in (4, 5, 3, 5):
        known = with_missing(known, Missing(seq, seq, "late"))
    assert known == (Missing(3, 5, "late"),)
    for seq in range(10, 10 + 2 * RANGES_REMEMBERED, 2):
        known = with_missing(known, Missing(seq, seq))
    assert len(known) == RANGES_REMEMBERED
    assert known[-1] == Missing(8 + 2 * RANGES_REMEMBERED, 8 + 2 * RANGES_REMEMBERED)
