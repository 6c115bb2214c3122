import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.web import create_signed_value

from dashboard.access.passes import DAY_S, LIFETIME_DAYS, MOST_REVOKED, Passes

KEY = b"k" * 32


def passes(
    key: bytes = KEY, name: str = "atomstream-5006", at_s: float = 1e9
) -> Passes:
    return Passes(name, key, lambda: at_s)


def test_a_pass_is_good_for_all_who_have_the_key_and_for_nobody_else() -> None:
    issued = passes().issue()
    assert passes().holds(issued)
    assert not passes(key=b"x" * 32).holds(issued)
    assert not passes(name="atomstream-5007").holds(issued)


def test_a_pass_runs_out() -> None:
    issued = passes().issue()
    assert passes(at_s=1e9 + LIFETIME_DAYS * DAY_S - 1).holds(issued)
    assert not passes(at_s=1e9 + LIFETIME_DAYS * DAY_S + 1).holds(issued)


def test_a_pass_that_was_given_back_is_void_and_no_other() -> None:
    these = passes()
    mine, theirs = these.issue(), these.issue()
    these.revoke(mine)
    assert not these.holds(mine)
    assert these.holds(theirs)


def test_more_than_can_be_remembered_makes_all_void() -> None:
    these = passes()
    first, mine = these.issue(), these.issue()
    these.revoke(first)
    for _ in range(MOST_REVOKED):
        these.revoke(these.issue())
    assert not these.holds(first)
    assert not these.holds(mine)
    assert len(these._revoked) <= MOST_REVOKED
    assert these.holds(these.issue())


def test_a_pass_that_is_signed_in_the_older_way_is_none() -> None:
    signed = create_signed_value("k" * 32, "atomstream-5006", "a" * 32, version=1)
    assert not Passes("atomstream-5006", KEY, time.time).holds(signed.decode())


@given(st.text() | st.from_regex(r"2\|\d+:\d+\|\d+:\d+\|.*", fullmatch=True))
def test_nothing_that_is_made_up_is_a_pass(text: str) -> None:
    these = passes()
    assert not these.holds(text)
    these.revoke(text)
    assert these._revoked == {}


@pytest.mark.parametrize("place", [0, 5, 20, 40, 60, -1])
def test_a_pass_with_another_letter_is_none(place: int) -> None:
    letters = list(passes().issue())
    letters[place] = "0" if letters[place] != "0" else "1"
    assert not passes().holds("".join(letters))
