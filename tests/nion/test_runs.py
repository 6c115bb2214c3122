"""Which stream a frame belongs to, for whatever order of events Nion Swift fires."""

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from atomstream_bridge.runs import Over, Place, Runs, Step
from atomstream_bridge.update import Update
from streamer.frame import Completeness

COMPLETE, PARTIAL, ABORTED = Completeness
BASE = Update("a", "HAADF", "complete", (8, 8), 8, "scan 0", 0, "", ((8, 8),), {})


def update(
    state: str = "complete", rows: int = 8, frame: int = 0, **other: Any
) -> Update:
    return replace(
        BASE, state=state, valid_rows=rows, frame_index=frame,
        **{"scan_id": f"scan {frame}", **other},
    )  # fmt: skip


def runs(partial_every_s: float = 0.0) -> Runs:
    ids = count()
    return Runs("microscope", partial_every_s, lambda: f"stream {next(ids)}")


def placed(steps: list[Step]) -> list[tuple[str, int, Completeness, int]]:
    return [(step.stream.id, step.seq, step.completeness, step.valid_rows)
            for step in steps if isinstance(step, Place)]  # fmt: skip


def ended(steps: list[Step]) -> list[str]:
    return [step.stream.id for step in steps if isinstance(step, Over)]


def test_frames_of_a_run_are_numbered_without_holes() -> None:
    scanning = runs()
    scanning.started()
    seen = [placed(scanning.place(update(frame=n), n)) for n in range(3)]
    assert seen == [[("stream 0", n, COMPLETE, 8)] for n in range(3)]
    assert ended(scanning.stopped()) == ["stream 0"]


def test_a_run_whose_end_was_not_heard_ends_where_frames_begin_again() -> None:
    scanning = runs()
    scanning.place(update(frame=4), 0)
    steps = scanning.place(update(frame=0), 1)
    assert ended(steps) == ["stream 0"]
    assert placed(steps) == [("stream 1", 0, COMPLETE, 8)]


@pytest.mark.parametrize("state", ["partial", "marked"])
def test_a_growing_frame_is_not_sent_unless_it_is_wanted(state: str) -> None:
    assert runs().place(update(state, 4), 0) == []
    (sent,) = placed(runs(1.0).place(update(state, 4), 0))
    assert sent[2:] == (PARTIAL, 4)


def test_growing_frames_are_a_stream_of_their_own_at_the_rate_that_is_wanted() -> None:
    scanning = runs(1.0)
    times_s = (0.0, 0.5, 0.99, 1.0, 1.9, 2.0)
    seen = [placed(scanning.place(update("partial", 2 + n), now_s))
            for n, now_s in enumerate(times_s)]  # fmt: skip
    assert [bool(sent) for sent in seen] == [True, False, False, True, False, True]
    assert [sent[0][:2] for sent in seen if sent] == [("stream 1", n) for n in range(3)]
    assert placed(scanning.place(update(), 3)) == [("stream 0", 0, COMPLETE, 8)]
    assert ended(scanning.closed()) == ["stream 0", "stream 1"]


def test_a_growing_frame_without_a_row_is_not_sent() -> None:
    assert runs(1.0).place(update("partial", 0), 0) == []


@pytest.mark.parametrize(
    ("last_word", "rows"),
    [(update("complete", 8, frame=1), 3), (update("partial", 4, frame=1), 4)],
)
def test_after_an_abort_no_word_of_the_device_makes_a_frame_complete(
    last_word: Update, rows: int
) -> None:
    scanning = runs()
    scanning.started()
    scanning.place(update(frame=0), 0)
    scanning.place(update("partial", 3, frame=1), 0)
    scanning.aborted()
    assert placed(scanning.place(last_word, 1)) == [("stream 0", 1, ABORTED, rows)]
    assert placed(scanning.place(last_word, 1)) == []  # once
    assert ended(scanning.stopped()) == ["stream 0"]


def test_of_a_frame_that_was_aborted_before_its_first_row_nothing_is_sent() -> None:
    scanning = runs()
    scanning.started()
    scanning.aborted()
    assert placed(scanning.place(update(), 0)) == []


def test_rows_of_another_scan_do_not_count_for_an_aborted_one() -> None:
    scanning = runs()
    scanning.started()
    scanning.place(update("partial", 7, frame=0), 0)
    scanning.aborted()
    assert placed(scanning.place(update(frame=1), 0)) == []


def test_an_abort_is_forgotten_with_the_next_acquisition() -> None:
    scanning = runs()
    scanning.started()
    scanning.aborted()
    scanning.stopped()
    scanning.started()
    assert placed(scanning.place(update(), 0)) == [("stream 0", 0, COMPLETE, 8)]


def test_a_recording_ends_its_own_stream_and_not_that_of_the_view() -> None:
    scanning = runs()
    scanning.started()
    scanning.place(update(frame=3), 0)
    scanning.started()
    recorded = scanning.place(update(frame=0, recording="r"), 1)
    assert placed(recorded) == [("stream 1", 0, COMPLETE, 8)]
    assert ended(scanning.stopped()) == ["stream 1"]
    assert placed(scanning.place(update(frame=4), 2)) == [("stream 0", 1, COMPLETE, 8)]
    assert ended(scanning.stopped()) == ["stream 0"]


def test_channels_do_not_share_a_stream() -> None:
    scanning = runs()
    first = scanning.place(update(), 0)
    second = scanning.place(update(channel_id="b", channel="MAADF"), 0)
    assert placed(first + second) == [
        ("stream 0", 0, COMPLETE, 8),
        ("stream 1", 0, COMPLETE, 8),
    ]


def test_another_geometry_is_another_stream() -> None:
    scanning = runs(1.0)
    scanning.place(update("partial", 2), 0)
    steps = scanning.place(update(frame=1, geometry=((4, 4),), shape=(4, 4)), 1)
    assert ended(steps) == ["stream 0", "stream 1"]
    assert placed(steps) == [("stream 2", 0, COMPLETE, 4)]


@pytest.mark.parametrize("state", ["error", "", "None"])
def test_what_is_neither_growing_nor_complete_is_no_frame(state: str) -> None:
    assert runs(1.0).place(update(state), 0) == []
