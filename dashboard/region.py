"""A part of the plane of two quantities, drawn by a viewer, and the atoms in it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_CORNERS = 1000
"""The page sends a tenth of it at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A polygon; what is in it is told as in `assets/region.mjs`, to the last bit."""

    axes: tuple[str, str]
    """Columns of `Scene.atoms`."""
    x: NDArray[np.float64]
    """(corners,) along the first of them."""
    y: NDArray[np.float64]

    def holds(self, columns: Mapping[str, NDArray[np.generic]]) -> NDArray[np.bool_]:
        """(N,) which atoms lie inside, by the even-odd rule; NaN never does.

        Raises
        ------
        KeyError
            One of the axes is not among `columns`.
        """
        x, y = (columns[name].astype(np.float64) for name in self.axes)
        near = np.flatnonzero(
            (x >= self.x.min()) & (x <= self.x.max())
            & (y >= self.y.min()) & (y <= self.y.max())
        )  # fmt: skip
        inside = np.zeros(len(x), np.bool_)
        inside[near] = self._surrounds(x[near], y[near])
        return inside

    def _surrounds(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        odd = np.zeros(len(x), np.bool_)
        corners = zip(
            self.x, self.y, np.roll(self.x, 1), np.roll(self.y, 1), strict=True
        )
        for x1, y1, x0, y0 in corners:
            if y0 != y1:
                across = (y1 > y) != (y0 > y)
                odd ^= across & (x < (x0 - x1) * (y - y1) / (y0 - y1) + x1)
        return odd


def region(told: Mapping[str, object]) -> Region:
    """A region as the page tells it.

    Raises
    ------
    ValueError
        It makes no sense.
    """
    axes, x, y = told.get("axes"), told.get("x"), told.get("y")
    if not (isinstance(axes, list) and [type(name) for name in axes] == [str, str]):
        raise ValueError("a region needs the names of two axes")
    corners = [_numbers(x), _numbers(y)]
    if len(corners[0]) != len(corners[1]):
        raise ValueError("corners of a region have x and y")
    return Region((axes[0], axes[1]), *corners)


def _numbers(told: object) -> NDArray[np.float64]:
    if not isinstance(told, list) or not 3 <= len(told) <= MOST_CORNERS:
        raise ValueError(f"a region has 3 to {MOST_CORNERS} corners")
    if not all(type(number) in (int, float) for number in told):
        raise ValueError("a corner is two numbers")
    try:
        numbers = np.array(told, np.float64)
    except OverflowError:
        raise ValueError("a corner is two numbers of 64 bits") from None
    if not np.isfinite(numbers).all():
        raise ValueError("a corner is two finite numbers")
    return numbers
