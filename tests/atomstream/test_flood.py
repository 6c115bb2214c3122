"""Of a flood the beginning is let through, and the rest is counted."""

import pytest

from atomstream.flood import KINDS, MOST, WINDOW_S, Flood


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_first_pass_and_all_others_are_counted(clock: Clock) -> None:
    flood: Flood[str] = Flood(clock)
    passed = sum(flood.admits("rejected") for _ in range(1000))
    assert passed == MOST
    assert list(flood.over()) == []
    clock.now_s = WINDOW_S
    assert list(flood.over()) == [("rejected", 1000 - MOST)]
    assert list(flood.over()) == []
    assert flood.admits("rejected")


def test_one_kind_does_not_keep_back_another(clock: Clock) -> None:
    flood: Flood[str] = Flood(clock)
    assert sum(flood.admits("rejected") for _ in range(1000)) == MOST
    assert flood.admits("gap")


def test_what_was_no_flood_is_not_told(clock: Clock) -> None:
    flood: Flood[str] = Flood(clock)
    assert all(flood.admits("gap") for _ in range(MOST))
    assert flood.is_full("gap")
    clock.now_s = WINDOW_S
    assert list(flood.over()) == []


def test_whoever_ends_hears_at_once_what_was_left_out(clock: Clock) -> None:
    flood: Flood[str] = Flood(clock)
    for _ in range(MOST + 7):
        flood.admits("gap")
    assert list(flood.over(at_once=True)) == [("gap", 7)]


def test_kinds_without_end_share_one_place(clock: Clock) -> None:
    flood: Flood[int] = Flood(clock)
    passed = sum(flood.admits(kind) for kind in range(50 * KINDS))
    assert passed == KINDS + MOST
    clock.now_s = WINDOW_S
    assert list(flood.over()) == [(None, 49 * KINDS - MOST)]
