"""What a report is made of: figures with their numbers, in sections."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pyarrow as pa
from matplotlib.figure import Figure

from atomstream.report.material import Material
from atomstream.report.wish import Wish as Wish  # part of what sections need


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """One figure, drawn."""

    name: str
    """Of its files, without ending: "steps". No other figure of a report has it."""
    title: str
    caption: str
    """What is seen, and how it was computed, in plain text."""
    figure: Figure
    tables: Mapping[str, pa.Table] = field(default_factory=lambda: MappingProxyType({}))
    """Its numbers, by the name of their file without ending; units end the names of
    columns, as in the atoms table."""
    shown: tuple[str, ...] = ()
    """Of `tables`, those that are printed on the page: a few rows each."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What could not be drawn, or is to be known of what was, in plain text."""

    text: str


type Progress = Callable[[int, int], None]
"""Is told what is done and what there is to do."""

type Draw = Callable[[Material, Wish, Progress], Iterator[Drawn | Remark]]
"""Draws one section, figure by figure: each is written before the next is drawn."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page."""

    name: str
    """Of its anchor."""
    title: str
    draw: Draw
