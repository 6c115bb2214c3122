"""Addresses as they come from anybody."""

import math
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.bookmark import Bookmark, Zoom, bookmark
from dashboard.choices import Choices

RUN = "0b0f4f1c-95a1-4bd2-9f43-0a4ad2e1a9f6"


def parsed(query: str) -> Bookmark:
    """As Tornado hands the arguments over."""
    found = parse_qs(query, keep_blank_values=True, encoding="latin1")
    return bookmark({n: [v.encode("latin1") for v in vs] for n, vs in found.items()})


def test_a_link_says_a_frame_a_part_of_it_and_choices() -> None:
    frames = f"channel=a+%C2%B7+b&run={RUN}&frame=12&against=3"
    query = f"{frames}&x=1.5&y=-2&w=0.25&fold=1&map=z1"
    assert parsed(query) == Bookmark(
        channel="a \N{MIDDLE DOT} b",
        run=RUN,
        frame=12,
        zoom=Zoom(1.5, -2.0, 0.25),
        choices={"fold": 1, "map": "z1"},
        against=3,
    )


@pytest.mark.parametrize(
    "query",
    [
        "", "frame=", "frame=-1", "frame=1.5", "frame=NaN", "frame=9223372036854775807",
        "frame=" + "9" * 5000, "run=../../etc", "run=" + "a" * 65, "channel=",
        "channel=" + "a" * 601, "channel=%FF%FE", "channel=a%00b", "x=1&y=2",
        "x=1&y=2&w=0", "x=1&y=2&w=-1", "x=nan&y=2&w=1", "x=1&y=inf&w=1",
        "x=1e10&y=0&w=1",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out(query: str) -> None:
    assert parsed(query) == Bookmark()


def test_the_first_of_several_counts() -> None:
    assert parsed("frame=3&frame=4").frame == 3


values = st.lists(st.binary(max_size=700) | st.from_regex(rb"-?[0-9a-z.]*"), max_size=3)


@given(st.dictionaries(st.text(max_size=20) | st.sampled_from("xyw"), values))
def test_any_address_makes_a_bookmark_in_bounds(
    arguments: Mapping[str, Sequence[bytes]],
) -> None:
    made = bookmark(arguments)
    assert made.frame is None or 0 <= made.frame < 2**63
    if made.zoom is not None:
        assert made.zoom.w > 0
        assert all(math.isfinite(v) for v in (made.zoom.x, made.zoom.y, made.zoom.w))
    assert len(made.choices) <= 32
    choices = Choices()
    for verb, what in made.choices.items():
        choices = choices.granting(verb, what)


@pytest.mark.parametrize(
    "choices", [Choices(), Choices(dots=False), Choices(folded=True)]
)
def test_choices_come_back_from_a_link(choices: Choices) -> None:
    again = Choices(dots=False, folded=True)
    for verb, what in choices.wishes().items():
        again = again.granting(verb, what)
    assert again == choices
