"""What a file's numbers must be, and become, to be the pixels of a frame."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from streamer.errors import StackError
from streamer.frame import DTYPES

NAMES = MappingProxyType(
    {
        "b": "booleans",
        "c": "complex numbers",
        "O": "Python objects",
        "S": "texts",
        "U": "texts",
        "T": "texts",
        "V": "records",
        "M": "dates",
        "m": "time spans",
        "f": "numbers of more than 64 bits",
    }
)
"""By NumPy's letter for a kind of dtype: what cannot be pixels."""

NARROW: Mapping[np.dtype[np.generic], np.dtype[np.generic]] = MappingProxyType(
    {np.dtype(np.int64): np.dtype(np.int32), np.dtype(np.uint64): np.dtype(np.uint32)}
)
"""What 64-bit integers become: nothing that counts electrons needs more."""

MIN_SIDE_PX = 8
"""A table of coordinates is not a picture."""
COLOURS = (3, 4)
"""Values a pixel in colour images: RGB, or RGB and transparency."""


def frame_dtype(stored: np.dtype[np.generic], name: str) -> np.dtype[np.generic]:
    """Type of a frame's pixels for numbers stored as `stored`.

    Raises
    ------
    StackError
        They are not real numbers.
    """
    native = stored.newbyteorder("=")
    dtype = NARROW.get(native, native)
    if dtype not in DTYPES:
        what = NAMES.get(stored.kind, f"numbers of type {stored}")
        raise StackError(f"{name} holds {what}; a frame holds real numbers")
    return dtype


def frame_pixels(stored: NDArray[np.generic], name: str) -> NDArray[np.generic]:
    """The image as a frame holds it: native, in C order, at most 32-bit integers.

    Raises
    ------
    StackError
        Not real numbers, or integers that need 64 bits.
    """
    dtype = frame_dtype(stored.dtype, name)
    if stored.dtype.newbyteorder("=") in NARROW:
        limits = np.iinfo(str(dtype))
        low, high = int(stored.min()), int(stored.max())
        if low < limits.min or high > limits.max:
            raise StackError(
                f"{name} holds integers from {low} to {high}, which do not fit "
                f"into {dtype}; save it as float64"
            )
    return np.ascontiguousarray(stored, dtype)


def frame_axes(shape: tuple[int, ...], name: str) -> tuple[int, int, int]:
    """(frames, rows, cols) of an array that does not say what its axes are.

    Raises
    ------
    StackError
        Neither an image nor a stack of them, or images in colour.
    """
    if len(shape) == 2:
        return 1, *shape
    if len(shape) != 3:
        raise StackError(
            f"{name} holds an array of {len(shape)} dimensions {shape}; expected "
            "2 (rows, cols) or 3 (frames, rows, cols)"
        )
    if shape[2] in COLOURS and min(shape[:2]) > max(COLOURS):
        raise StackError(
            f"{name} holds a colour image {shape}; a frame has one value a pixel"
        )
    return shape


def is_plausible(shape: tuple[int, ...], stored: np.dtype[np.generic]) -> bool:
    """Whether an array among others in a file looks like an image or a stack."""
    real = NARROW.get(stored.newbyteorder("="), stored.newbyteorder("=")) in DTYPES
    return real and len(shape) in (2, 3) and min(shape[-2:]) >= MIN_SIDE_PX
