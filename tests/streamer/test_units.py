import math

import pytest

from streamer.errors import StackError
from streamer.units import (
    length_nm,
    pixel_side_nm,
    square_pixel_nm,
    time_s,
)


@pytest.mark.parametrize(
    ("unit", "nm"),
    [
        ("nm", 1), (" nm ", 1), ("NM", 1), ("nanometer", 1), ("pm", 1e-3), ("Å", 0.1),
        ("\u212b", 0.1), ("A", 0.1), ("Angstrom", 0.1), ("um", 1e3), ("µm", 1e3),
        ("\u03bcm", 1e3), ("\\u00B5m", 1e3), ("micron", 1e3), ("mm", 1e6), ("m", 1e9),
        ("s", None), ("", None), ("pixel", None), ("1/nm", None),
    ],
)  # fmt: skip
def test_lengths(unit: str, nm: float | None) -> None:
    assert length_nm(2, unit) == (None if nm is None else 2 * nm)


@pytest.mark.parametrize(
    ("unit", "seconds"), [("s", 1), ("ms", 1e-3), ("µs", 1e-6), ("nm", None)]
)
def test_times(unit: str, seconds: float | None) -> None:
    assert time_s(2, unit) == (None if seconds is None else 2 * seconds)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_pixel_has_a_side(value: float) -> None:
    assert pixel_side_nm(value, "nm") is None


def test_sides_that_differ_by_less_than_a_percent_are_equal() -> None:
    assert square_pixel_nm((0.1, 0.1), "a.tif") == 0.1
    assert square_pixel_nm((0.1, 0.1009), "a.tif") == pytest.approx(0.10045)
    with pytest.raises(StackError, match=r"^a.tif has pixels of 0.1 x 0.102 nm \(hei"):
        square_pixel_nm((0.1, 0.102), "a.tif")
