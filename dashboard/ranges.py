"""Ranges of the values in plots over time: they hold still, so that frames compare."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from dashboard.scene import ANGLE, Scene
from dashboard.trend import Span, Trend

ROOM = 0.15
"""Of a range, beyond what is there when it is fitted, at either end."""

LEAST = 1e-3
"""Least length of a range, of its largest value: less cannot be told on an axis."""

DOUBLINGS = 64
"""Of a range at most, before it is fitted instead."""
NAMED = 2
"""Ranges that are named when they were rescaled; of more, how many."""


@dataclass(frozen=True, slots=True)
class Key:
    """Which range."""

    kind: str
    """"values" of a quantity, "shares" of atoms in its histogram, or "line"."""
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """The ranges of one page."""

    spans: Mapping[Key, Span]
    since: int
    """The frame at which they were fitted."""
    rescaled: tuple[Key, ...] = ()
    """Those that values have left last, which are twice as long since then."""
    rescaled_at: int | None = None
    """The frame at which that was."""


def extents(trend: Trend, scene: Scene, lines: Iterable[str]) -> dict[Key, Span | None]:
    """What there is to be seen in each plot; None where there is nothing.

    Parameters
    ----------
    scene
        The frame that is shown, whose histogram stands beside the heat map.
    lines
        Of `Trend.lines`, those that are drawn.
    """
    found: dict[Key, Span | None] = {}
    for name, seen in trend.seen.items():
        counts = scene.histogram(name, trend.bins[name])
        now = float(counts.max()) / max(int(counts.sum()), 1)
        found[Key("values", name)] = seen
        found[Key("shares", name)] = Span(0, 100 * max(now, trend.peaks[name]))
    for column in lines:
        found[Key("line", column)] = finite_span(trend.lines[column])
    return found


def finite_span(values: NDArray[np.floating]) -> Span | None:
    """From the least to the greatest of the finite `values`."""
    finite = values[np.isfinite(values)]
    return Span(float(finite.min()), float(finite.max())) if len(finite) else None


def fitted(
    found: Mapping[Key, Span | None], seq: int, least: Mapping[str, float]
) -> Ranges:
    """Ranges that show what is there with some room, from frame `seq` on.

    Parameters
    ----------
    least
        Length of the range of a line while all its values are the same.
    """
    spans = {
        key: roomy(key, span, least.get(key.name, 0.0))
        for key, span in found.items()
        if span is not None
    }
    return Ranges(MappingProxyType(spans), since=seq)


def held(
    ranges: Ranges,
    found: Mapping[Key, Span | None],
    seq: int,
    least: Mapping[str, float],
) -> Ranges:
    """`ranges`, doubled where values have left them; the same if none has."""
    spans = {key: old for key, old in ranges.spans.items() if key in found}
    new, left = fitted(found, seq, least).spans, []
    for key, seen in found.items():
        old = spans.get(key)
        if seen is None:
            continue
        if old is None:
            spans[key] = new[key]
        elif (wider := doubled(old, seen)) != old:
            spans[key] = wider
            left.append(key)
    if left:
        return Ranges(MappingProxyType(spans), ranges.since, tuple(left), seq)
    same = spans.keys() == ranges.spans.keys()
    return ranges if same else replace(ranges, spans=MappingProxyType(spans))


def doubled(span: Span, seen: Span) -> Span:
    """`span`, doubled towards where `seen` reaches beyond it.

    What cannot be reached so, from a range without length or to the end of all
    numbers, is taken as it is: anybody may publish such values.
    """
    low, high = span.low, span.high
    for _ in range(DOUBLINGS):
        if low <= seen.low and seen.high <= high:
            return Span(low, high)
        if seen.low < low:
            low -= high - low
        else:
            high += high - low
    return Span(min(span.low, seen.low), max(span.high, seen.high))


def roomy(key: Key, span: Span, least: float) -> Span:
    """`span` with room at both ends; the angle's period and nothing below 0 % as is."""
    if key == Key("values", ANGLE):
        return span
    room = ROOM * (span.high - span.low)
    if key.kind == "shares":
        return Span(0, max(span.high + room, 1.0))
    low, high = span.low - room, span.high + room
    short = max(least, LEAST * max(abs(low), abs(high)), LEAST) - (high - low)
    return Span(low - max(short, 0) / 2, high + max(short, 0) / 2)


def in_words(ranges: Ranges, titles: Mapping[str, str]) -> str:
    """What the page says of them.

    Parameters
    ----------
    titles
        What lines are called.
    """
    if ranges.rescaled_at is None:
        return f"ranges held since frame {ranges.since:,}"
    names = [
        f"% of {key.name}" if key.kind == "shares" else titles.get(key.name, key.name)
        for key in ranges.rescaled
    ]
    if len(names) > NAMED:
        names = [f"{len(names)} plots"]
    return f"ranges held · {', '.join(names)} rescaled at frame {ranges.rescaled_at:,}"
