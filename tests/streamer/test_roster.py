"""A source knows for whom it has to stay."""

from streamer.messages import Content, Done
from streamer.roster import MAX_SUBSCRIBERS, Roster

FRAMES = (Content.FRAME, "a")
ANALYSES = (Content.ANALYSIS, "a")


def test_nobody_joined() -> None:
    assert not Roster().have({FRAMES}, 0.0)


def test_everybody_who_joined_must_have_all_feeds() -> None:
    roster = Roster()
    for name in ("service", "viewer"):
        roster.join(name)
    roster.note(Done("service", (FRAMES, ANALYSES)))
    roster.note(Done("viewer", (FRAMES,)))
    assert roster.have({FRAMES}, 0.0)
    assert not roster.have({FRAMES, ANALYSES}, 0.0)


def test_who_says_good_bye_is_not_waited_for() -> None:
    roster = Roster()
    roster.join("viewer")
    roster.note(Done("viewer", (), leaving=True))
    assert roster.have({FRAMES}, 0.0)
    assert roster.present == 0


def test_who_vanishes_is_waited_for_and_keeps_its_place() -> None:
    roster = Roster()
    roster.join("service")
    roster.part("service", 100.0)
    assert roster.present == 0
    assert not roster.have({FRAMES}, 160.0)
    roster.join("service")
    assert (roster.joined, roster.present) == (1, 1)
    assert not roster.have({FRAMES}, 1000.0)


def test_who_does_not_come_back_is_given_up_after_a_minute() -> None:
    roster = Roster()
    roster.join("viewer")
    roster.part("viewer", 100.0)
    assert roster.have({FRAMES}, 160.1)


def test_a_stranger_has_no_say() -> None:
    roster = Roster()
    roster.note(Done("stranger", (FRAMES,)))
    assert not roster.have({FRAMES}, 0.0)


def test_of_too_many_subscribers_the_first_is_forgotten() -> None:
    roster = Roster()
    for number in range(MAX_SUBSCRIBERS + 1):
        roster.join(str(number))
    assert roster.present == MAX_SUBSCRIBERS
