"""The page: one file with all its pictures in it, that needs no network."""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import pyarrow as pa
from PIL import Image

from atomstream.report.facts import Fact

TEMPLATE = "page.html"
QUALITY = 88
"""Of pictures within the page."""
UNITS = {
    "_e_nm2": "e/nm²", "_per_nm2": "1/nm²", "_nm2": "nm²", "_nm": "nm",
    "_deg": "°", "_s": "s",
}  # fmt: skip
"""Endings of the columns' names, the longer first."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as the page prints it."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as the page shows it."""

    name: str
    title: str
    caption: str
    data: str
    """The PNG as a data URL."""
    files: Mapping[str, str]
    """Links by their words, from the page's folder."""
    tables: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A section, with its figures and remarks in order."""

    name: str
    title: str
    pictures: tuple[Picture, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that a page says."""

    title: str
    subtitle: str
    facts: Sequence[Fact] = ()
    remarks: Sequence[str] = ()
    parts: Sequence[Part] = ()
    methods: Sequence[str] = ()
    tables: Sequence[Shown] = ()
    command: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


def write_page(page: Page, path: Path) -> None:
    """Render the page; what comes from a session is text in it, never markup."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("atomstream.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    html = environment.get_template(TEMPLATE).render(page=page)
    path.write_text(html, encoding="utf-8")


def data_url(png: Path) -> str:
    """A picture within a page, smaller than its file and hardly worse."""
    small = io.BytesIO()
    with Image.open(png) as image:
        image.convert("RGB").save(small, "WEBP", quality=QUALITY, method=4)
    return f"data:image/webp;base64,{base64.b64encode(small.getvalue()).decode()}"


def shown(name: str, table: pa.Table) -> Shown:
    """A small table in words."""
    columns = tuple(map(_with_unit, table.column_names))
    rows = tuple(
        tuple(_in_words(value) for value in row.values()) for row in table.to_pylist()
    )
    return Shown(name, columns, rows)


def _with_unit(column: str) -> str:
    """The name of a column as one reads it: hole_area_nm2 is "hole area (nm²)"."""
    for ending, unit in UNITS.items():
        if column.endswith(ending):
            return f"{column.removesuffix(ending).replace('_', ' ')} ({unit})"
    return column.replace("_", " ")


def _in_words(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and math.isnan(value):
        return "\N{EN DASH}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
