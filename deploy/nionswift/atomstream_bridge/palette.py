"""Colours of what is shown in Nion Swift: those of the page.

Peter Kovesi's colour maps CET-C6 and CET-L8, every eighth colour,
https://arxiv.org/abs/1509.03700 (CC BY 4.0).
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Colours: TypeAlias = NDArray[np.uint8]
"""(…, 3): red, green, blue."""

SPECIES = ("#56c7e8", "#ffb347")
"""C, Si."""
NO_VALUE = (57, 67, 79)
"""An atom whose angle or order is NaN."""

_CYCLIC = """
f7371a f85008 fc7401 ff9500 ffb300 f9ca00 e2d100 c0c800 9ab900 74a903 4d9c11
319a2c 2ba74f 31b977 32cd9f 2ce0c7 25e8e9 2addfb 31c7ff 2faeff 2896ff 3284ff
5a81ff 868eff ab9fff cdb1ff ebbefb ffbae2 ffa5b9 ff888e ff6963 fd483c f7361d
"""
_SEQUENTIAL = """
000f5d 04126a 0f1676 1d1881 2d1a8a 401b90 561892 6a1592 7c1191 8d0d8f 9d0a8c
ac0989 ba0b86 c81082 d4187e df2478 e83271 ef4169 f45060 f75f58 f96d52 f97c4d
f98947 f99642 faa13d fcac39 fdb738 fdc239 fccd3c fbd83f fae343 f8ee48 f5f94e
"""


def rgb(colour: str) -> tuple[int, ...]:
    """Red, green and blue of "#rrggbb"."""
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def by_angle(angle_rad: NDArray[np.floating], period_rad: float) -> Colours:
    """A wheel that closes after `period_rad`, red at half of it, cyan at 0."""
    return _interpolated(_CYCLIC, (angle_rad / period_rad + 0.5) % 1)


def by_order(order: NDArray[np.floating], low: float, high: float) -> Colours:
    """From dark at `low` to light at `high`; beyond them as there."""
    span = high - low
    part = (order - low) / span if span > 0 else np.where(np.isnan(order), np.nan, 0.5)
    return _interpolated(_SEQUENTIAL, part)


def _interpolated(table: str, part: NDArray[np.floating]) -> Colours:
    """Colours of a table at `part` of it, 0..1."""
    known = np.array([rgb(colour) for colour in table.split()], np.float64)
    at = np.linspace(0, 1, len(known))
    colours = np.stack([np.interp(part, at, known[:, c]) for c in range(3)], axis=-1)
    colours[np.isnan(part)] = NO_VALUE
    return colours.round().astype(np.uint8)
