"""Sub-images as the paper cuts them: square windows of two sizes."""

from collections.abc import Mapping
from typing import Literal

from inference.describe import Windows

SIDE_PX = 32
type WindowSize = Literal["small", "large"]
WINDOWS_NM: Mapping[WindowSize, float] = {"small": 0.016, "large": 0.032}
"""Size of a pixel of each: windows of 0.5 nm, an atom with its three neighbours and
some of the next; or twice as wide, the hexagons around an atom and all they touch."""


def windows_of(size: WindowSize, maps_nm: float, side_px: int = SIDE_PX) -> Windows:
    """Such windows, from maps of this pixel size in nm."""
    return Windows(side_px, maps_nm, WINDOWS_NM[size])
