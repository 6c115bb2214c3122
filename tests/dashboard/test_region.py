"""What lies in a region that a viewer drew."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.region import MOST_CORNERS, Region, region

SQUARE = ([0.0, 2.0, 2.0, 0.0], [0.0, 0.0, 2.0, 2.0])
ARROW = ([0.0, 4.0, 0.0, 1.0], [0.0, 2.0, 4.0, 2.0])
BOW_TIE = ([0.0, 2.0, 2.0, 0.0], [0.0, 2.0, 0.0, 2.0])
PENTAGRAM = (
    [math.sin(4 * math.pi * k / 5) for k in range(5)],
    [math.cos(4 * math.pi * k / 5) for k in range(5)],
)


@pytest.mark.parametrize(
    ("corners", "point", "inside"),
    [
        pytest.param(SQUARE, (1.0, 1.0), True, id="in the middle"),
        pytest.param(SQUARE, (3.0, 1.0), False, id="beside it"),
        pytest.param(SQUARE, (1.0, -0.1), False, id="below it"),
        pytest.param(SQUARE, (math.nan, 1.0), False, id="unknown"),
        pytest.param(SQUARE, (math.inf, 1.0), False, id="infinitely far"),
        pytest.param(ARROW, (0.5, 2.0), False, id="in its notch"),
        pytest.param(ARROW, (1.5, 2.0), True, id="right of its notch"),
        pytest.param(BOW_TIE, (0.3, 1.0), True, id="in the left wing"),
        pytest.param(BOW_TIE, (1.0, 0.3), False, id="between the wings"),
        pytest.param(PENTAGRAM, (0.0, 0.0), False, id="gone round twice"),
        pytest.param(PENTAGRAM, (0.0, 0.8), True, id="in a ray"),
    ],
)
def test_a_point_is_inside_when_a_ray_from_it_leaves_an_odd_number_of_times(
    corners: tuple[list[float], list[float]], point: tuple[float, float], inside: bool
) -> None:
    x, y = (np.array(each) for each in corners)
    within = Region(("a", "b"), x, y)
    columns = {"a": np.float32([point[0]]), "b": np.float32([point[1]])}
    assert within.holds(columns).tolist() == [inside]


def test_atoms_in_a_circle_are_those_nearer_than_its_radius() -> None:
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    x, y = np.random.default_rng(1).normal(0, 1, (2, 5000)).astype(np.float32)
    circle = Region(("x", "y"), 1.5 * np.cos(angles) + 0.2, 1.5 * np.sin(angles))
    far = np.hypot(x - 0.2, y)
    clear = np.abs(far - 1.5) > 1e-3
    held = circle.holds({"x": x, "y": y})
    assert clear.sum() > 4900
    np.testing.assert_array_equal(held[clear], far[clear] < 1.5)


def test_a_region_is_what_the_page_told() -> None:
    told = region({"axes": ["z1", "z2"], "x": [0, 1, 0.5], "y": [0, 0, 1.25]})
    assert told.axes == ("z1", "z2")
    assert (told.x.tolist(), told.y.tolist()) == ([0, 1, 0.5], [0, 0, 1.25])


GOOD = {"axes": ["z1", "z2"], "x": [0, 1, 1], "y": [0, 0, 1]}


@pytest.mark.parametrize(
    "change",
    [
        {"axes": ["z1"]},
        {"axes": [1, 2]},
        {"axes": None},
        {"x": [0, 1]},
        {"x": [0, 1, 1, 0]},
        {"y": [0, 0, math.nan]},
        {"y": [0, 0, math.inf]},
        {"y": [0, 0, True]},
        {"y": [0, 0, "1"]},
        {"y": [0, 0, 10**400]},
        {"y": "abc"},
        {"x": [0] * (MOST_CORNERS + 1), "y": [0] * (MOST_CORNERS + 1)},
    ],
    ids=str,
)
def test_what_is_no_region_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"region|corner"):
        region({**GOOD, **change})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional={"axes": JSON, "x": JSON, "y": JSON}))
def test_nothing_that_a_page_may_tell_breaks_the_server(
    told: dict[str, object],
) -> None:
    with contextlib.suppress(ValueError):
        region(told)
