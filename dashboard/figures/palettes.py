"""Peter Kovesi's perceptual maps, from a file.

Not from the package colorcet, of which the file was made: that imports Matplotlib
wherever it is installed, and the page has no use for it.
"""

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[1] / "assets" / "palettes.json"
DIGITS = 6
"""Of a colour."""


@cache
def palette(name: str) -> tuple[str, ...]:
    """The colours of a map, as "#rrggbb", by its name in colorcet."""
    digits = json.loads(FILE.read_text(encoding="utf-8"))["maps"][name]
    return tuple(
        f"#{digits[first : first + DIGITS]}" for first in range(0, len(digits), DIGITS)
    )
