"""Rules over records that are written down here, so that the answer is known."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dashboard.alert import Judgement
from dashboard.alert_rules import AlertRules
from dashboard.frame_rules import NOT_WHOLE, frame_judgements, losses_percent, slopes
from dashboard.history import flag_bits, record_dtype
from streamer.analysis import Flag

OUT, WITHIN, OPEN = "out", "within", "open"


def records(
    frames: int,
    *,
    flags: Sequence[tuple[Flag, ...]] = (),
    carbon: Sequence[float] = (),
    silicon: Sequence[float] = (),
    **columns: Sequence[float],
) -> NDArray[np.void]:
    """Frames of which nothing is known but these numbers."""
    rows = np.zeros(frames, record_dtype(1))
    rows["seq"] = 10 + np.arange(frames)
    rows["time_s"] = 30.0 * np.arange(frames)
    rows["counts"] = [1000, 5]
    if carbon:
        rows["counts"][:, 0] = carbon
    if silicon:
        rows["counts"][:, 1] = silicon
    if flags:
        rows["flags"] = [flag_bits(each) for each in flags]
    for name, values in columns.items():
        rows[name] = values
    return rows


def only(rows: NDArray[np.void], rule: str, **rules: object) -> Judgement:
    """What one rule says of the records, with two frames in a row."""
    settings = AlertRules.model_validate({"frames_in_a_row": 2, **rules})
    told = frame_judgements(rows, "stream", settings, is_live=True)
    (found,) = [each for each in told if each.rule.startswith(rule)]
    return found


def verdict(told: Judgement) -> str:
    return OUT if told.is_out and told.lasts else WITHIN if told.ends else OPEN


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.9], OPEN),
        ([0.4], OPEN),
        ([0.9, 0.9], WITHIN),
        ([0.9, 0.4], OPEN),
        ([0.4, 0.4], OUT),
        ([0.9, 0.4, 0.4], OUT),
        ([0.4, 0.4, 0.9], OPEN),
        ([0.4, 0.9, 0.4], OPEN),
        ([0.4, 0.4, 0.9, 0.9], WITHIN),
        ([0.5, 0.5], WITHIN),
        ([0.4, math.nan], OPEN),
        ([0.9, math.nan], OPEN),
        ([math.nan, math.nan], OPEN),
    ],
)
def test_so_many_frames_in_a_row_begin_it_and_as_many_end_it(
    values: list[float], expected: str
) -> None:
    rows = records(len(values), mean_crystallinity=values)
    told = only(rows, "crystallinity_below", crystallinity_below=0.5)
    assert verdict(told) == expected


def test_it_is_said_with_its_numbers_and_since_which_frame() -> None:
    rows = records(4, mean_crystallinity=[0.9, 0.45, 0.42, 0.412])
    told = only(rows, "crystallinity_below", crystallinity_below=0.5)
    assert told.words == "mean crystallinity 0.412, below 0.5"
    assert told.seq == 12


@pytest.mark.parametrize("flag", NOT_WHOLE)
def test_frames_that_were_not_analysed_whole_say_nothing_of_the_sample(
    flag: Flag,
) -> None:
    flags = [(), (flag,), (), (flag, Flag.NO_ATOMS)]
    rows = records(4, flags=flags, silicon=[5, 0, 5, 0], carbon=[1000, 1, 1000, 1])
    assert verdict(only(rows, "silicon_below", silicon_below=1)) == WITHIN
    told = only(rows, "carbon_loss_above_percent", carbon_loss_above_percent=5)
    assert verdict(told) == WITHIN


@pytest.mark.parametrize(
    ("silicon", "expected"),
    [
        ([3, 2, 0, 0], OUT),
        ([3, 2, 0, 1], OPEN),
        ([3, 2, 1, 1], WITHIN),
    ],
)
def test_silicon_that_was_there_has_left(silicon: list[float], expected: str) -> None:
    rows = records(4, silicon=silicon)
    assert verdict(only(rows, "silicon_below", silicon_below=1)) == expected


def test_silicon_that_was_never_there_cannot_leave() -> None:
    rows = records(4, silicon=[0, 0, 0, 0])
    settings = AlertRules(silicon_below=1, frames_in_a_row=2)
    told = frame_judgements(rows, "stream", settings, is_live=True)
    assert [each for each in told if each.rule == "silicon_below"] == []


def test_a_hole_grows_by_its_slope_in_nm2_a_minute() -> None:
    # 30 s a frame: 0.25 nm² a frame are 0.5 nm² a minute.
    rows = records(6, hole_area_nm2=[1.0, 1.25, 1.5, 1.75, 2.0, 2.25])
    rule = "hole_growth_above_nm2_per_min"
    told = only(rows, rule, hole_growth_frames=4, **{rule: 0.4})
    assert verdict(told) == OUT
    assert told.words == "holes grow by 0.5 nm²/min, above 0.4 nm²/min"
    assert verdict(only(rows, rule, hole_growth_frames=4, **{rule: 0.6})) == WITHIN
    assert verdict(only(rows, rule, hole_growth_frames=6, **{rule: 0.4})) == OPEN


def test_slopes_need_a_full_window_of_known_numbers() -> None:
    times = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    values = np.array([0.0, 2.0, 4.0, 6.0, np.nan])
    np.testing.assert_allclose(slopes(times, values, 3), [np.nan, np.nan, 2, 2, np.nan])
    standing = slopes(np.zeros(3), np.arange(3.0), 3)
    assert np.isnan(standing).all(), "frames at the same time have no slope"


def test_a_loss_is_against_the_most_within_the_window() -> None:
    counts = np.array([1000.0, 990, 1010, 909, 0])
    np.testing.assert_allclose(losses_percent(counts, 3), [0, 1, 0, 10, 100])
    assert np.isnan(losses_percent(np.zeros(3), 3)).all()


def test_numbers_that_cannot_be_are_no_reason_to_alert_nor_to_stop() -> None:
    rows = records(
        4,
        carbon=[math.inf, 1e300, math.inf, 0],
        silicon=[math.inf, math.nan, 0, math.inf],
        hole_area_nm2=[math.inf, -math.inf, math.nan, math.inf],
        time_s=[math.inf, 1e308, -1e308, math.nan],
    )
    settings = AlertRules(
        hole_growth_above_nm2_per_min=1,
        hole_growth_frames=2,
        silicon_below=1,
        carbon_loss_above_percent=1,
        frames_in_a_row=2,
    )
    told = frame_judgements(rows, "stream", settings, is_live=True)
    assert [each.rule for each in told if each.is_out and each.lasts] == []


def test_a_loss_of_carbon() -> None:
    rows = records(5, carbon=[1000, 1000, 1000, 940, 930])
    rule = "carbon_loss_above_percent"
    told = only(rows, rule, carbon_loss_frames=4, **{rule: 5})
    assert verdict(told) == OUT
    assert told.words == "7 % of C lost within 4 frames, above 5 %"
    assert verdict(only(rows, rule, carbon_loss_frames=2, **{rule: 5})) == OPEN


def test_frames_are_late_only_while_they_come() -> None:
    rows = records(3, latency_s=[10, 40, 41])
    told = only(rows, "latency_above_s", latency_above_s=33.5)
    assert verdict(told) == OUT
    settings = AlertRules(frames_in_a_row=2)
    recorded = frame_judgements(rows, "stream", settings, is_live=False)
    assert list(recorded) == []


def test_flags_are_alerted_of_one_by_one() -> None:
    rows = records(3, flags=[(), (Flag.BLURRED,), (Flag.BLURRED, Flag.TOO_NOISY)])
    settings = AlertRules(
        frames_in_a_row=2, flags=(Flag.BLURRED, Flag.TOO_NOISY), latency_above_s=None
    )
    told = list(frame_judgements(rows, "stream", settings, is_live=True))
    assert [(each.rule, verdict(each)) for each in told] == [
        ("flags blurred", OUT),
        ("flags too-noisy", OPEN),
    ]
