"""Where frames lie along an axis, and which columns they fill."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashboard.axis import Axis, Ruler, offered, ruler
from dashboard.grid import COLUMNS, grid
from dashboard.history import record_dtype

NAN = float("nan")


def records(
    seq: Sequence[int],
    time_s: Sequence[float] | None = None,
    dose: Sequence[float] | None = None,
) -> NDArray[np.void]:
    result = np.zeros(len(seq), record_dtype(1))
    result["seq"] = seq
    result["time_s"] = NAN if time_s is None else time_s
    result["dose_e_nm2"] = NAN if dose is None else dose
    return result


@pytest.mark.parametrize(
    ("seq", "time_s", "shown"),
    [
        pytest.param([0, 1, 2], [0, 10, 20], [0, 1, 2], id="even"),
        pytest.param([0, 1, 3], [0, 10, 30], [0, 1, -1, 3], id="one is missing"),
        pytest.param([0, 1, 2, 3], [0, 10, 40, 50], [0, 1, -1, -1, 4, 5], id="a pause"),
        pytest.param(
            [0, 1, 2, 3, 4], [0, 10, 20, 36, 46], [0, 1, 2, 4, 4, 5], id="a late frame"
        ),
        pytest.param(
            [0, 1, 2, 3, 4], [0, 10, 14, 30, 40], [0, 1, 1, 3, 4], id="an early frame"
        ),
        pytest.param(
            [0, 1, 3, 4], [0, 10, 28, 38], [0, 1, -1, 3, 4], id="missing in a hurry"
        ),
        pytest.param([7], [70], [0], id="one frame"),
        pytest.param([0, 1, 2], [0, NAN, 20], [0, -1, 2], id="an unknown time"),
        pytest.param([0, 1, 2], [20, 10, 0], [0, 1, 2], id="a clock that runs back"),
    ],
)
def test_a_column_is_a_frame_and_gaps_stay_empty(
    seq: list[int], time_s: list[float], shown: list[int]
) -> None:
    assert grid(records(seq, time_s), Axis.TIME).shown.tolist() == shown


def test_columns_are_centred_on_their_frames() -> None:
    found = grid(records([3, 4, 5], dose=[4e6, 5e6, 6e6]), Axis.DOSE)
    assert (found.start, found.width) == (3.5e6, 1e6)
    found = grid(records([3, 4, 5]), Axis.FRAMES)
    assert (found.start, found.width) == (2.5, 1.0)


def test_columns_are_equal_in_time_and_not_in_frames() -> None:
    slow = [0, *range(100, 1000, 100)]
    fast = [1000 + 10 * n for n in range(1000)]
    found = grid(records(range(1010), slow + fast), Axis.TIME)
    frames = np.bincount(found.column, minlength=len(found))
    assert found.width == 30.0
    assert set(frames[: 1000 // 30]) <= {0, 1}
    assert set(frames[35:-1]) == {3}


@given(
    st.lists(
        st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20
    ).filter(lambda values: any(abs(value) < 1e30 for value in values))
)
def test_whatever_a_clock_says_columns_are_bounded(values: list[float]) -> None:
    with np.errstate(all="ignore"):
        found = grid(records(range(len(values)), values), Axis.TIME)
    assert 1 <= len(found) <= COLUMNS
    assert found.width > 0
    assert (np.diff(found.column) >= 0).all()
    assert found.column[0] == 0
    assert found.column[-1] == len(found) - 1


@pytest.mark.parametrize(
    ("time_s", "dose", "expected"),
    [
        ([0, 1, 2], [1e6, 2e6, 3e6], {Axis.FRAMES, Axis.TIME, Axis.DOSE}),
        ([0, 1, 2], None, {Axis.FRAMES, Axis.TIME}),
        (None, None, {Axis.FRAMES}),
        ([5, 5, 5], [0, 0, 0], {Axis.FRAMES}),
        ([NAN, 1, 2], [1e40, 1e40, NAN], {Axis.FRAMES, Axis.TIME}),
    ],
    ids=["all", "no dose", "neither", "neither tells frames apart", "some"],
)
def test_only_what_tells_frames_apart_is_offered(
    time_s: list[float] | None, dose: list[float] | None, expected: set[Axis]
) -> None:
    assert set(offered(records([0, 1, 2], time_s, dose))) == expected


@pytest.mark.parametrize(
    ("axis", "farthest", "title", "scale"),
    [
        (Axis.FRAMES, 1e6, "frame", 1),
        (Axis.TIME, 120, "time (s)", 1),
        (Axis.TIME, 1675, "time (min)", 60),
        (Axis.TIME, 86_400, "time (h)", 3600),
        (Axis.DOSE, 6.5e8, "dose (10⁸ e/nm²)", 1e8),
        (Axis.DOSE, 900, "dose (e/nm²)", 1),
    ],
)
def test_an_axis_is_in_units_that_suit_it(
    axis: Axis, farthest: float, title: str, scale: float
) -> None:
    found: Ruler = ruler(axis, farthest)
    assert (found.title, found.scale) == (title, scale)
