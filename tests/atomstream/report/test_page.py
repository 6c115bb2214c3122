"""What the page of a report makes of the numbers that it prints."""

import math

import pyarrow as pa

from atomstream.report.page import shown


def test_a_table_is_printed_with_units_and_without_what_is_not_a_number() -> None:
    table = pa.table(
        {"frame": [7], "dose_e_nm2": [1.5e8], "hole_area_nm2": [2.25], "time_s": [33.5],
         "angle_deg": [math.nan], "learnt_from": ["simulation"], "model": [None]}
    )  # fmt: skip
    words = shown("steps", table)
    assert words.columns == (
        "frame", "dose (e/nm²)", "hole area (nm²)", "time (s)", "angle (°)",
        "learnt from", "model",
    )  # fmt: skip
    assert words.rows == (
        ("7", "1.5e+08", "2.25", "33.5", "\N{EN DASH}", "simulation", ""),
    )
