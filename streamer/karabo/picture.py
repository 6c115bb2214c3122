"""Which array of a train is the image, and what else of it belongs to a frame."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streamer.errors import WireError
from streamer.frame import DTYPES, MAX_SIDE_PX, JsonValue
from streamer.header import MAX_SEQ
from streamer.karabo.train import Array, Source, Train, Words
from streamer.metadata import bounded
from streamer.wire_frame import check_length, view

_PIXEL_TYPES = {dtype.name: dtype.newbyteorder("<") for dtype in DTYPES} | {
    order.str: order
    for dtype in DTYPES
    for order in (dtype.newbyteorder("<"), dtype.newbyteorder(">"))
}
"""By name, which is taken as little-endian, and by a name with its byte order."""
MOST_NAMED = 8
"""Arrays that a message about them lists."""
NAME_SHOWN = 60
ATTOSECONDS = 18
"""Digits of "timestamp.frac"."""

type Name = tuple[str, str]
"""Source and key of an array."""


@dataclass
class Choice:
    """Which array is the image: the one that was named, or the only one that can be.

    Once found it stays the same, whatever else comes.
    """

    source: str | None
    key: str | None
    known: Collection[Name] = ()
    """Those that were it before, in a session that goes on."""
    _found: Name | None = field(default=None, init=False)

    def find(self, train: Train) -> tuple[Source, str]:
        """Source and key of the image.

        Raises
        ------
        WireError
            The train has none, or several, and nothing says which.
        """
        self._found = self._found or self._search(train)
        name, key = self._found
        if name not in train or key not in train[name].arrays:
            raise WireError(f"a train without {_word(self._found)}: {_all_of(train)}")
        return train[name], key

    def _search(self, train: Train) -> Name:
        if self.source is not None and self.key is not None:
            return self.source, self.key
        possible = [
            (source.name, key)
            for source in train.values()
            for key, array in source.arrays.items()
            if self.source in (None, source.name)
            and (key == self.key or (self.key is None and can_be_image(array)))
        ]
        before = [name for name in possible if name in self.known]
        match before if len(before) == 1 else possible:
            case [only]:
                return only
            case []:
                raise WireError(f"no array can be the image: {_all_of(train)}")
            case _:
                raise WireError(
                    f"{len(possible)} arrays could be the image; say which in the "
                    f"URL with ?source=NAME&key=KEY: {_listed(train, possible)}"
                )


def can_be_image(array: Array) -> bool:
    """Whether it has two dimensions, and pixels that a frame can have."""
    sides = _sides(array)
    return array.dtype in _PIXEL_TYPES and len(sides) == 2 and min(sides) > 1


def image_of(array: Array) -> NDArray[np.generic]:
    """(rows, cols), read-only, in the order of bytes of this computer.

    Raises
    ------
    WireError
        It cannot be a frame, or its bytes are not what shape and dtype need.
    """
    dtype = _PIXEL_TYPES.get(array.dtype)
    if dtype is None:
        allowed = ", ".join(sorted(each.name for each in DTYPES))
        raise WireError(f"an image of {array}, expected pixels of {allowed}")
    sides = _sides(array)
    if len(sides) != 2 or not all(1 <= side <= MAX_SIDE_PX for side in sides):
        raise WireError(
            f"an image of {array}, expected rows x columns of 1 to {MAX_SIDE_PX} each"
        )
    count = math.prod(sides)
    check_length(array.data, count * dtype.itemsize, str(array))
    image = view(array.data.toreadonly(), dtype, count).reshape(sides)
    native = np.ascontiguousarray(image, dtype.newbyteorder("="))
    native.flags.writeable = False
    return native


def said_of(words: Words) -> Mapping[str, JsonValue]:
    """All that karabo says beside arrays, as far as a frame can carry it."""
    return bounded({"metadata": dict(words.metadata), "data": dict(words.values)})


def time_ns(metadata: Mapping[str, JsonValue]) -> int | None:
    """When karabo dates the train, ns since 1970 UTC; None where it does not."""
    match metadata.get("timestamp.sec"), metadata.get("timestamp.frac"):
        case str(sec), str(frac) if _is_number(sec, 10) and _is_number(
            frac, ATTOSECONDS
        ):
            return int(sec) * 10**9 + int(frac.ljust(ATTOSECONDS, "0")[:9])
    stamp = metadata.get("timestamp")
    if isinstance(stamp, float) and 0 < stamp < 10**10:
        return round(stamp * 1e9)
    return None


def train_id(metadata: Mapping[str, JsonValue]) -> int | None:
    """Number of the train; None where there is none that can be one."""
    number = metadata.get("timestamp.tid")
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return number if 0 <= number <= MAX_SEQ else None


def _is_number(text: str, most_digits: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= most_digits


def _sides(array: Array) -> tuple[int, ...]:
    """The shape without what is one image thick in front."""
    shape = array.shape
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _all_of(train: Train) -> str:
    names = [(each.name, key) for each in train.values() for key in each.arrays]
    if not names:
        sources = ", ".join(each[:NAME_SHOWN] for each in list(train)[:MOST_NAMED])
        return f"it has values of {sources}, and no arrays"
    return f"it has {_listed(train, names)}"


def _listed(train: Train, names: list[Name]) -> str:
    return "; ".join(_shown(train, names))


def _shown(train: Train, names: list[Name]) -> Iterator[str]:
    for source, key in names[:MOST_NAMED]:
        yield f"{_word((source, key))} ({train[source].arrays[key]})"
    if len(names) > MOST_NAMED:
        yield f"and {len(names) - MOST_NAMED} more"


def _word(name: Name) -> str:
    source, key = name
    return f"source {source[:NAME_SHOWN]} key {key[:NAME_SHOWN]}"
