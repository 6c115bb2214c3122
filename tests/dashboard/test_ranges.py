"""Ranges of values hold still, widen by doubling, and are fitted when asked."""

import numpy as np
import pytest

from dashboard.ranges import Key, Ranges, doubled, finite_span, fitted, held, in_words
from dashboard.scene import ANGLE
from dashboard.trend import Span

Z1, SHARE, CARBON = Key("values", "z1"), Key("shares", "z1"), Key("line", "C")
LEAST = {"C": 20.0}


def at_frame_3() -> Ranges:
    found = {Z1: Span(0, 10), SHARE: Span(0, 40), CARBON: Span(100, 100)}
    return fitted(found, 3, LEAST)


def test_a_fitted_range_has_room_and_is_never_too_short() -> None:
    spans = at_frame_3().spans
    assert spans[Z1] == Span(-1.5, 11.5)
    assert spans[SHARE] == Span(0, 46)
    assert spans[CARBON] == Span(90, 110)


def test_an_angle_has_its_period() -> None:
    key = Key("values", ANGLE)
    assert fitted({key: Span(-60, 60)}, 0, {}).spans[key] == Span(-60, 60)


def test_ranges_hold_while_values_stay_within() -> None:
    ranges = at_frame_3()
    assert (
        held(ranges, {Z1: Span(-1, 11), CARBON: None}, 4, LEAST).spans[Z1]
        == (ranges.spans[Z1])
    )
    found = {Z1: Span(-1, 11), SHARE: Span(0, 46), CARBON: Span(90, 91)}
    assert held(ranges, found, 4, LEAST) is ranges


def test_values_that_leave_double_their_range_and_no_other() -> None:
    found = {Z1: Span(0, 10), SHARE: Span(0, 40), CARBON: Span(75, 100)}
    ranges = held(at_frame_3(), found, 9, LEAST)
    assert ranges.spans[CARBON] == Span(70, 110)
    assert ranges.spans[Z1] == Span(-1.5, 11.5)
    assert (ranges.rescaled, ranges.rescaled_at) == ((CARBON,), 9)
    assert held(ranges, found, 10, LEAST) is ranges


def test_a_quantity_that_comes_later_is_fitted_then() -> None:
    new = Key("values", "z2")
    found = {Z1: Span(0, 10), SHARE: Span(0, 1), CARBON: None, new: Span(0, 1)}
    ranges = held(at_frame_3(), found, 5, LEAST)
    assert ranges.spans[new] == Span(-0.15, 1.15)
    assert ranges.rescaled_at is None


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Span(1, 2), Span(0, 4)),
        (Span(-1, 2), Span(-4, 4)),
        (Span(0, 9), Span(0, 16)),
        (Span(-1, 9), Span(-4, 12)),
    ],
)
def test_doubling_goes_where_values_are(seen: Span, expected: Span) -> None:
    assert doubled(Span(0, 4), seen) == expected


def test_what_is_not_finite_has_no_range() -> None:
    assert finite_span(np.array([np.nan, np.inf])) is None
    assert finite_span(np.array([np.nan, 3.0, -np.inf, 1.0])) == Span(1.0, 3.0)


def test_the_page_says_since_when_and_what_was_rescaled() -> None:
    ranges = at_frame_3()
    assert in_words(ranges, {}) == "ranges held since frame 3"
    found = {Z1: Span(0, 20), SHARE: Span(0, 40), CARBON: Span(60, 100)}
    wider = held(ranges, found, 1200, LEAST)
    assert in_words(wider, {"C": "C atoms"}) == (
        "ranges held · z1, C atoms rescaled at frame 1,200"
    )
    found = {Z1: Span(0, 90), SHARE: Span(0, 80), CARBON: Span(-900, 100)}
    assert "3 plots rescaled" in in_words(held(wider, found, 1201, LEAST), {})


@pytest.mark.parametrize(
    ("span", "seen"),
    [
        (Span(0.0, 0.0), Span(-1.0, 2.0)),
        (Span(0.0, 5e-324), Span(0.0, 1.7e308)),
        (Span(-1.7e308, 1.7e308), Span(-1.79e308, 1.79e308)),
    ],
    ids=["no length", "the shortest", "the end of all numbers"],
)
def test_what_doubling_cannot_reach_is_taken_as_it_is(span: Span, seen: Span) -> None:
    wider = doubled(span, seen)
    assert wider.low <= seen.low
    assert wider.high >= seen.high
