"""One feed in order, whatever the network did to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.sequencer import NO_ANSWER, NO_CATCH_UP, Bounds, Held, Sequencer
from streamer.start import Start
from streamer.steps import Ask, Delivery, Finished, Lost, Step

BOUNDS = Bounds(buffer_bytes=100, window=4, retry_s=2, attempts=3, grace_s=3)


def sequencer(
    start: Start | None = None, resume_at: int | None = None, bounds: Bounds = BOUNDS
) -> "Feed":
    return Feed(Sequencer(start or Start.first(), resume_at, bounds))


@dataclass
class Feed:
    """A sequencer of messages that are their own seq, and what came out of it."""

    sequencer: Sequencer[int]
    now_s: float = 0.0
    asked: list[Ask] = field(default_factory=list)
    out: list[Step[int]] = field(default_factory=list)

    def arrive(self, *seqs: int, nbytes: int = 1) -> list[Step[int]]:
        for seq in seqs:
            self.sequencer.arrive(seq, seq, nbytes, self.now_s)
        return self.steps()

    def hear(
        self, newest: int, total: int | None = None, *, catch_up: bool = True
    ) -> list[Step[int]]:
        self.sequencer.catch_up = catch_up
        self.sequencer.hear(newest, total, self.now_s)
        return self.steps()

    def give_up(self, first: int, last: int) -> list[Step[int]]:
        self.sequencer.give_up(first, last, "evicted", self.now_s)
        return self.steps()

    def wait(self, seconds: float) -> list[Step[int]]:
        self.now_s += seconds
        self.sequencer.expire(self.now_s)
        return self.steps()

    def steps(self) -> list[Step[int]]:
        steps = list(self.sequencer.steps(self.now_s))
        self.asked += [step for step in steps if isinstance(step, Ask)]
        self.out += [step for step in steps if not isinstance(step, Ask)]
        return steps


def delivered(*seqs: int) -> list[Step[int]]:
    return [Delivery(seq, seq) for seq in seqs]


def test_messages_in_order_pass_straight_through() -> None:
    assert sequencer().arrive(0, 1, 2) == delivered(0, 1, 2)


def test_a_message_that_came_twice_is_delivered_once() -> None:
    assert sequencer().arrive(0, 0, 1, 0, 1) == delivered(0, 1)


def test_a_hole_is_asked_for_and_what_follows_waits() -> None:
    feed = sequencer()
    feed.hear(-1)
    assert feed.arrive(0, 3) == [Delivery(0, 0), Ask(1, 2)]
    assert feed.arrive(2) == []
    assert feed.arrive(1) == delivered(1, 2, 3)


def test_a_lost_last_message_is_known_from_the_heartbeat() -> None:
    feed = sequencer()
    feed.arrive(0, 1)
    assert feed.hear(2) == [Ask(2, 2)]


def test_a_long_hole_is_asked_for_in_windows() -> None:
    feed = sequencer()
    assert feed.hear(9) == [Ask(0, 3)]
    assert feed.arrive(0, 1, 2) == delivered(0, 1, 2)
    assert feed.arrive(3) == [Delivery(3, 3), Ask(4, 7)]


def test_a_request_without_an_answer_is_repeated_for_what_is_still_missing() -> None:
    feed = sequencer()
    feed.hear(3)
    feed.arrive(0, 2)
    assert feed.wait(1.9) == []
    assert feed.wait(0.1) == [Ask(1, 1)]


def test_an_answer_in_progress_is_waited_for() -> None:
    feed = sequencer()
    feed.hear(3)
    feed.wait(1.9)
    feed.arrive(0)
    assert feed.wait(1.9) == []


def test_what_the_source_no_longer_has_is_one_gap() -> None:
    feed = sequencer()
    feed.hear(9)
    assert feed.give_up(0, 6) == [Lost(0, 6, "evicted"), Ask(7, 9)]


def test_a_gap_spares_what_came_live_before_it_was_evicted() -> None:
    feed = sequencer()
    feed.arrive(2)
    feed.hear(5)
    feed.give_up(0, 4)
    assert feed.out == [Lost(0, 1, "evicted"), Delivery(2, 2), Lost(3, 4, "evicted")]


def test_what_does_not_exist_yet_cannot_be_lost() -> None:
    feed = sequencer()
    feed.hear(1)
    feed.give_up(0, 10**12)
    assert feed.out == [Lost(0, 1, "evicted")]
    assert feed.arrive(2) == delivered(2)


def test_a_source_without_catch_up_gives_exact_gaps() -> None:
    feed = sequencer()
    feed.hear(-1, catch_up=False)
    assert feed.arrive(2, 5) == [
        Lost(0, 1, NO_CATCH_UP),
        Delivery(2, 2),
        Lost(3, 4, NO_CATCH_UP),
        Delivery(5, 5),
    ]


def test_a_source_without_heartbeats_is_given_a_moment_to_send_one() -> None:
    feed = sequencer()
    assert feed.arrive(2) == []
    assert feed.wait(2.9) == []
    assert feed.wait(0.1) == [Lost(0, 1, NO_CATCH_UP), Delivery(2, 2)]


def test_a_source_without_heartbeats_does_not_fill_the_memory_meanwhile() -> None:
    feed = sequencer()
    assert feed.arrive(2, nbytes=60) == []
    assert feed.arrive(3, nbytes=60) == [
        Lost(0, 1, NO_CATCH_UP),
        Delivery(2, 2),
        Delivery(3, 3),
    ]


def test_a_source_that_is_heard_but_never_answers_is_given_up() -> None:
    feed = sequencer()
    feed.hear(0)
    for outcome in (Ask(0, 0), Ask(0, 0), Lost(0, 0, NO_ANSWER)):
        feed.now_s += 1
        feed.hear(0)
        assert feed.wait(1) == [outcome]


def test_a_source_that_is_away_is_waited_for() -> None:
    feed = sequencer()
    feed.hear(0)
    for _ in range(100):
        assert feed.wait(2) == [Ask(0, 0)]


def test_the_buffer_keeps_the_messages_that_are_needed_first() -> None:
    feed = sequencer()
    feed.hear(9)
    feed.arrive(8, 9, nbytes=50)
    feed.arrive(1, nbytes=50)
    feed.arrive(0, nbytes=1000)
    assert feed.out == delivered(0, 1)
    feed.arrive(2, 3, 4, 5, 6, 7)
    assert feed.out == delivered(*range(9))
    assert feed.asked[-1] == Ask(9, 9)


@pytest.mark.parametrize(
    ("start", "resume_at", "heard", "first_asked"),
    [
        pytest.param(Start.first(), None, 9, Ask(0, 3), id="first"),
        pytest.param(Start.first(), 8, 9, Ask(8, 9), id="first, resumed"),
        pytest.param(Start.newest(3), None, 9, Ask(7, 9), id="the newest 3"),
        pytest.param(Start.newest(200), None, 2, Ask(0, 2), id="more than there are"),
        pytest.param(Start.newest(3), 6, 9, Ask(6, 9), id="the newest 3, resumed"),
    ],
)
def test_where_a_subscriber_begins(
    start: Start, resume_at: int | None, heard: int, first_asked: Ask
) -> None:
    assert sequencer(start, resume_at).hear(heard) == [first_asked]


def test_the_newest_from_a_heartbeat_is_the_next_one() -> None:
    feed = sequencer(Start.newest())
    assert feed.hear(9) == []
    assert feed.arrive(9, 10) == delivered(10)


def test_the_newest_from_a_live_message_is_that_message() -> None:
    assert sequencer(Start.newest()).arrive(9, 10) == delivered(9, 10)


@pytest.mark.parametrize(
    ("total", "steps"),
    [
        pytest.param(2, [Finished(2)], id="nothing missing"),
        pytest.param(3, [Ask(2, 2)], id="the last one is missing"),
        pytest.param(0, [Finished(2)], id="fewer than there were"),
    ],
)
def test_the_end(total: int, steps: list[Step[int]]) -> None:
    feed = sequencer()
    feed.arrive(0, 1)
    feed.hear(1)
    feed.sequencer.end(total)
    assert feed.steps() == steps
    assert feed.steps() == []


def test_an_empty_feed_ends() -> None:
    assert sequencer().hear(-1, 0) == [Finished(0)]


def test_nothing_grows_after_the_end() -> None:
    feed = sequencer()
    feed.hear(-1, 0)
    assert feed.arrive(0, 5) == []
    assert feed.hear(5) == []


def test_a_source_that_vanished_leaves_the_gap_that_is_known() -> None:
    feed = sequencer()
    feed.hear(5)
    feed.arrive(0, 3)
    feed.sequencer.abandon("it was restarted")
    assert feed.steps() == [
        Lost(1, 2, "it was restarted"),
        Delivery(3, 3),
        Lost(4, 5, "it was restarted"),
        Finished(None),
    ]


@dataclass
class Network:
    """Delivers, drops, doubles and reorders, as drawn; the source answers truly."""

    feed: Feed
    draw: Callable[[int], int]
    """A whole number from 0 to the one given."""
    evicted: frozenset[int]
    waiting: list[Callable[[], object]] = field(default_factory=list)

    def run(self) -> None:
        while self.waiting:
            self.waiting.pop(self.draw(len(self.waiting) - 1))()
            self.answer(faithful=False)

    def answer(self, *, faithful: bool) -> None:
        asks, self.feed.asked = self.feed.asked, []
        for ask in asks:
            for act in self.answers(ask):
                copies = 1 if faithful else self.draw(2)
                self.waiting += [act] * copies

    def answers(self, ask: Ask) -> Iterator[Callable[[], object]]:
        for seq in range(ask.first, ask.last + 1):
            if seq in self.evicted:
                yield lambda seq=seq: self.feed.give_up(seq, seq)
            else:
                yield lambda seq=seq: self.feed.arrive(seq, nbytes=20)

    def settle(self, total: int) -> None:
        """From now on the network is perfect."""
        self.feed.hear(total - 1, total)
        for _ in range(3 * total + 3):
            self.answer(faithful=True)
            while self.waiting:
                self.waiting.pop(0)()
                self.answer(faithful=True)
            self.feed.wait(2)


@st.composite
def networks(draw: st.DrawFn, *, evict: bool) -> tuple[Network, int]:
    total = draw(st.integers(0, 24))
    seqs = st.sampled_from(range(total)) if total else st.nothing()
    evicted = draw(st.frozensets(seqs)) if evict else frozenset()
    patient = replace(BOUNDS, attempts=1000)
    network = Network(
        sequencer(bounds=patient), lambda most: draw(st.integers(0, most)), evicted
    )
    feed = network.feed
    for seq in range(total):
        network.waiting += [lambda seq=seq: feed.arrive(seq, nbytes=20)] * draw(
            st.integers(0, 2)
        )
        if draw(st.booleans()):
            network.waiting.append(lambda seq=seq: feed.hear(seq))
        if draw(st.booleans()):
            network.waiting.append(lambda: feed.wait(1.5))
    feed.hear(-1)
    network.run()
    network.settle(total)
    return network, total


@given(networks(evict=False))
def test_a_truthful_source_is_delivered_whole_and_in_order(
    case: tuple[Network, int],
) -> None:
    network, total = case
    assert network.feed.out == [*delivered(*range(total)), Finished(total)]


@given(networks(evict=True))
def test_gaps_and_deliveries_tile_the_feed(case: tuple[Network, int]) -> None:
    network, total = case
    *steps, last = network.feed.out
    tiles: list[int] = []
    for step in steps:
        match step:
            case Delivery(seq, _):
                tiles.append(seq)
            case Lost(first, last_lost, _):
                assert set(range(first, last_lost + 1)) <= network.evicted
                tiles += range(first, last_lost + 1)
    assert tiles == list(range(total))
    assert last == Finished(total)


def test_what_was_not_taken_care_of_comes_once_more_with_its_gap_and_end() -> None:
    feed = sequencer()
    feed.hear(4)
    feed.arrive(0, 1)
    feed.give_up(2, 2)
    feed.arrive(3, 4)
    feed.hear(4, total=5)
    first = [*feed.out]
    feed.sequencer.rewind(1)
    feed.steps()
    assert feed.asked[-1] == Ask(1, 4)
    feed.arrive(1)
    feed.give_up(2, 2)
    feed.arrive(3, 4)
    assert first[-1] == feed.out[-1] == Finished(5)
    assert feed.out[len(first) :] == first[1:]


def test_going_back_gives_back_the_room_and_forgets_what_was_not_answered() -> None:
    together = Held()
    feed = Feed(Sequencer(Start.first(), None, BOUNDS, together))
    feed.hear(9)
    feed.arrive(3, 4, nbytes=20)
    feed.now_s += 1
    feed.hear(9)
    feed.wait(2)
    assert (together.nbytes, feed.sequencer.unanswered) == (40, 1)
    feed.sequencer.rewind(0)
    assert (together.nbytes, feed.sequencer.unanswered) == (0, 0)
    feed.arrive(5, nbytes=20)
    assert together.nbytes == 20


def test_going_back_skips_nothing_that_has_not_come_yet() -> None:
    feed = sequencer()
    feed.arrive(0)
    feed.sequencer.rewind(7)
    assert feed.sequencer.next_seq == 1
