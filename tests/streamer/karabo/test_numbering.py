"""What train ids tell: each train is a frame, a gap, or thrown away aloud."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.errors import WireError
from streamer.events import Abandoned, Event, Gap, Joined, Notice
from streamer.frame import Stream
from streamer.karabo.address import KaraboAddress
from streamer.karabo.numbering import LONGEST_GAP, UNCOUNTED, Numbering

NAME = ("STEM/HAADF", "image")
URL = "karabo+tcp://127.0.0.1:4545"


def numbering(
    query: str = "", known: list[tuple[Stream, int]] | None = None
) -> Numbering:
    return Numbering(KaraboAddress.parse(URL + query), known or [])


class Taken:
    """What came of some trains."""

    def __init__(self, numbers: Numbering) -> None:
        self.numbers = numbers
        self.frames: list[tuple[str, int, int | None]] = []
        """(stream id, seq, train id)."""
        self.events: list[Event] = []
        self.thrown: list[str] = []

    def take(self, *train_ids: int | None, is_new: bool = False) -> "Taken":
        for train_id in train_ids:
            try:
                stream, seq, events = self.numbers.place(NAME, train_id, is_new=is_new)
            except WireError as error:
                self.thrown.append(str(error))
                continue
            is_new = False
            self.events += events
            self.frames.append((stream.id, seq, train_id))
        return self

    @property
    def seqs(self) -> list[int]:
        return [seq for _, seq, _ in self.frames]

    def gaps(self) -> list[tuple[int, int]]:
        return [(e.first, e.last) for e in self.events if isinstance(e, Gap)]

    def streams(self) -> int:
        return len({stream for stream, _, _ in self.frames})


def test_consecutive_trains_are_consecutive_frames() -> None:
    taken = Taken(numbering()).take(10_000, 10_001, 10_002)
    assert taken.seqs == [0, 1, 2]
    (joined,) = taken.events
    assert isinstance(joined, Joined)
    assert (joined.stream.source, joined.stream.channel) == NAME


def test_trains_that_did_not_come_are_a_gap_that_names_them() -> None:
    taken = Taken(numbering()).take(10_000, 10_001, 10_005)
    assert taken.seqs == [0, 1, 5]
    gap = taken.events[-1]
    assert isinstance(gap, Gap)
    assert (gap.first, gap.last) == (2, 4)
    assert "trains 10002 to 10004 did not come" in gap.reason


def test_a_source_that_makes_an_image_every_tenth_train_has_no_gaps() -> None:
    taken = Taken(numbering("?step=10")).take(10_000, 10_010, 10_040)
    assert taken.seqs == [0, 1, 4]
    assert taken.gaps() == [(2, 3)]
    assert "trains 10020 to 10030" in taken.events[-1].reason  # type: ignore[union-attr] # the gap
    taken.take(10_045, 10_050)
    assert "every 10th after 10000" in taken.thrown[0]
    assert taken.seqs[-1] == 5


@pytest.mark.parametrize("query", ["", "?step=10"])
def test_what_comes_twice_is_kept_once(query: str) -> None:
    taken = Taken(numbering(query)).take(100, 100, 110, 110)
    assert [train for _, _, train in taken.frames] == [100, 110]
    assert len(taken.thrown) == 2
    assert "train 110 came twice" in taken.thrown[1]


def test_what_comes_after_it_was_given_up_is_thrown_away_aloud() -> None:
    taken = Taken(numbering()).take(5, 6, 8, 7, 9)
    assert taken.seqs == [0, 1, 3, 4]
    assert (taken.gaps(), taken.streams()) == ([(2, 2)], 1)
    assert taken.thrown == ["train 7 came late: it was given up already"]


@pytest.mark.parametrize(
    "train_ids",
    [(100, 101, 102, 100, 101), (100, 101, 101 + LONGEST_GAP + 2), (100, 200, 120)],
    ids=["from the start again", "a day later", "far back"],
)
def test_another_run_is_another_stream(train_ids: tuple[int, ...]) -> None:
    taken = Taken(numbering()).take(*train_ids)
    assert (taken.streams(), taken.thrown) == (2, [])
    broken_off = next(e for e in taken.events if isinstance(e, Abandoned))
    assert broken_off.stream.id == taken.frames[0][0]
    first_of_second = next(f for f in taken.frames if f[0] != taken.frames[0][0])
    assert first_of_second[1] == 0


@pytest.mark.parametrize("again", [5, 7, 8])
def test_a_connection_made_anew_brings_another_run_if_ids_do_not_go_on(
    again: int,
) -> None:
    taken = Taken(numbering()).take(5, 6, 8).take(again, is_new=True)
    assert (taken.streams(), taken.thrown) == (2, [])


def test_a_connection_made_anew_goes_on_if_ids_do() -> None:
    taken = Taken(numbering()).take(5, 6).take(9, is_new=True)
    assert (taken.streams(), taken.gaps(), taken.seqs) == (1, [(2, 3)], [0, 1, 4])


def test_a_session_that_goes_on_knows_what_was_missed() -> None:
    before = Taken(numbering()).take(100, 101, 102)
    stream = Stream(before.frames[0][0], *NAME)
    after = Taken(numbering(known=[(stream, 3)])).take(106, is_new=True)
    assert after.frames == [(stream.id, 6, 106)]
    assert after.gaps() == [(3, 5)]
    again = Taken(numbering(known=[(stream, 3)])).take(102, is_new=True)
    assert again.frames[0][0] != stream.id


@pytest.mark.parametrize(
    ("query", "name"),
    [("", ("STEM/BF", "image")), ("?step=2", NAME)],
    ids=["another image", "another step"],
)
def test_a_session_goes_on_only_with_what_it_was(
    query: str, name: tuple[str, str]
) -> None:
    before = Taken(numbering()).take(100)
    stream = Stream(before.frames[0][0], *NAME)
    numbers = numbering(query, [(stream, 1)])
    found, seq, _ = numbers.place(name, 102, is_new=True)
    assert (found.id != stream.id, seq) == (True, 0)
    other = Numbering(KaraboAddress.parse(URL[:-1] + "6"), [(stream, 1)])
    assert other.place(NAME, 101, is_new=True)[0].id != stream.id
    assert not other.has(stream)


@pytest.mark.parametrize("train_ids", [(None,) * 3, (0,) * 3], ids=["none", "zeros"])
def test_without_train_ids_frames_are_counted_and_that_is_said(
    train_ids: tuple[int | None, ...],
) -> None:
    taken = Taken(numbering()).take(*train_ids)
    newest = [seq for stream, seq, _ in taken.frames if stream == taken.frames[-1][0]]
    assert newest == list(range(len(newest)))
    assert (len(taken.frames), taken.thrown) == (3, [])
    notices = [e.text for e in taken.events if isinstance(e, Notice)]
    assert notices == [UNCOUNTED]
    taken.take(50, 51)
    notices = [e.text for e in taken.events if isinstance(e, Notice)]
    assert notices == [UNCOUNTED, None]


def test_a_run_that_begins_with_0_twice_is_two_runs() -> None:
    taken = Taken(numbering()).take(0).take(0, 1, is_new=True)
    assert (taken.streams(), taken.seqs) == (2, [0, 0, 1])


def test_where_the_step_is_not_known_nothing_is_claimed() -> None:
    taken = Taken(numbering("?step=any")).take(100, 107, 90, 90)
    assert (taken.seqs, taken.gaps(), taken.streams()) == ([0, 1, 2, 3], [], 1)


@settings(max_examples=500, derandomize=True, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 40) | st.integers(0, 2**63 - 2), st.booleans()
        ),
        max_size=40,
    ),
    st.sampled_from(["", "?step=3", "?step=any"]),
)
def test_whatever_comes_each_stream_is_in_order_and_whole_with_its_gaps(
    trains: list[tuple[int | None, bool]], query: str
) -> None:
    taken = Taken(numbering(query))
    for train_id, is_new in trains:
        taken.take(train_id, is_new=is_new)
    assert len(taken.frames) + len(taken.thrown) == len(trains)
    for stream in {each for each, _, _ in taken.frames}:
        spans = [(seq, seq) for each, seq, _ in taken.frames if each == stream]
        spans += [
            (event.first, event.last)
            for event in taken.events
            if isinstance(event, Gap) and event.stream.id == stream
        ]
        spans.sort()
        assert spans[0][0] == 0
        assert all(last + 1 == first for (_, last), (first, _) in pairwise(spans))
    # Two runs are never merged: within a stream ids grow, where there are any.
    ids = [(each, train) for each, _, train in taken.frames if "-x-" not in each]
    for stream in {each for each, _ in ids}:
        own = [train for each, train in ids if each == stream and train is not None]
        assert all(a < b for a, b in pairwise(own))
