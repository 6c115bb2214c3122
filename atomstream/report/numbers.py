"""Numbers in words."""

import math

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scientific(value: float) -> str:
    """A positive number as a power of ten: 1.63·10⁷."""
    power = math.floor(math.log10(value))
    return f"{value / 10.0**power:.2f}·10{str(power).translate(SUPERSCRIPTS)}"
