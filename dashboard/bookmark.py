"""What the address of a page says: a frame, a part of it, and choices.

An address may come from anybody: what makes no sense in it is left out.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from dashboard.choices import Choices
from dashboard.snapshot import channel_name
from streamer.frame import Stream
from streamer.header import MAX_SEQ, is_identifier

MOST_CHARACTERS = 600
"""Of one value: the longest names of a source and its channel, and what joins them."""

MOST_CHOICES = 32

FARTHEST = 1e9
"""Greatest coordinate, nm or pixels: a metre."""

WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)

OWN = frozenset(("channel", "run", "frame", "against", "x", "y", "w"))
"""Names that are not those of choices; those of what browsers keep to themselves are
unknown here, and so mean nothing."""


@dataclass(frozen=True, slots=True)
class Zoom:
    """A square part of the sample, in nm, or in pixels without a calibration."""

    x: float
    """Of its middle, as `y`."""
    y: float
    w: float
    """Its side."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """What a link asks for; None where it does not say."""

    channel: str | None = None
    """As the page names it."""
    run: str | None = None
    """Id of the stream."""
    frame: int | None = None
    """None for the newest."""
    zoom: Zoom | None = None
    choices: Mapping[str, int | str] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Wishes about how frames are drawn, by their verbs."""
    against: int | None = None
    """Frame of the same run that is taken away from the one above."""


def bookmark(arguments: Mapping[str, Sequence[bytes]]) -> Bookmark:
    """What the arguments of an address ask for; the first of each name counts."""
    texts = {name: text(values) for name, values in arguments.items()}
    run = texts.get("run") or ""
    return Bookmark(
        channel=texts.get("channel") or None,
        run=run if is_identifier(run) else None,
        frame=frame_number(texts.get("frame")),
        against=frame_number(texts.get("against")),
        zoom=zoom(*(real(texts.get(name)) for name in ("x", "y", "w"))),
        choices=MappingProxyType(choices(texts)),
    )


def text(values: Sequence[bytes]) -> str | None:
    """The first of `values`, if it is text of a sensible length."""
    try:
        said = values[0].decode("utf-8") if values else ""
    except UnicodeDecodeError:
        return None
    return said if 0 < len(said) <= MOST_CHARACTERS and said.isprintable() else None


def whole(said: str | None) -> int | None:
    """The integer that `said` is."""
    return int(said) if said and WHOLE.fullmatch(said) else None


def frame_number(said: str | None) -> int | None:
    """The number of a frame that `said` is."""
    number = whole(said)
    return number if number is not None and 0 <= number <= MAX_SEQ else None


def real(said: str | None) -> float | None:
    """The coordinate that `said` is."""
    try:
        value = float(said or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= FARTHEST else None


def zoom(x: float | None, y: float | None, w: float | None) -> Zoom | None:
    """A part of the sample, if all of it is said."""
    if x is None or y is None or w is None or w <= 0:
        return None
    return Zoom(x, y, w)


def choices(texts: Mapping[str, str | None]) -> dict[str, int | str]:
    """All that is not about frames, whole numbers as such."""
    said = {name: each for name, each in texts.items() if name not in OWN and each}
    numbers = {name: whole(each) for name, each in said.items()}
    read = {n: s if (number := numbers[n]) is None else number for n, s in said.items()}
    return dict(list(read.items())[:MOST_CHOICES])


def link(
    stream: Stream, choices: Choices, against: int | None = None
) -> dict[str, str]:
    """What a link to a frame of `stream` says beside the frame and its part.

    `against` is as of `Bookmark`.
    """
    usual = Choices().wishes()
    changed = {v: str(o) for v, o in choices.wishes().items() if usual.get(v) != o}
    compared = {} if against is None else {"against": str(against)}
    return {"channel": channel_name(stream), "run": stream.id, **compared, **changed}
