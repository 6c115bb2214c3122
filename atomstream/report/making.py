"""A report, made: read, drawn, written, section by section."""

import json
import shlex
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from atomstream.report.contents import contents
from atomstream.report.facts import facts, remarks
from atomstream.report.figure import Drawn, Progress, Section
from atomstream.report.files import (
    remove_files,
    sha256_of,
    write_figure,
    write_table,
)
from atomstream.report.folder import (
    MADE_BY,
    MANIFEST,
    files_in,
    replacing_folder,
)
from atomstream.report.material import Material
from atomstream.report.methods import methods, methods_tables, moment, versions
from atomstream.report.opening import material_of
from atomstream.report.page import Page, Part, Picture, data_url, shown, write_page
from atomstream.report.survey import survey_of
from atomstream.report.wish import Wish
from streamer.session.reader import SessionReader

PAGE = "index.html"
METHODS = "methods.txt"
MODELS = "models"
"""Folder of what was trained for the report."""


@dataclass(frozen=True, slots=True)
class Order:
    """A report that is asked for."""

    session: Path
    out: Path
    stream: str | None = None
    """Number or beginning of the id; None for the one with most analyses."""
    frames: tuple[int, ...] | None = None
    """To be shown; None for the first, middle and last with atoms."""
    models: tuple[Path, ...] = ()
    """Folders to look into for models that are neither shipped nor in the session."""
    wish: Wish = field(default_factory=Wish)
    page_only: bool = False
    """No files beside the page, nor links to them."""
    dpi: int = 150
    threads: int = 2


type Bars = Callable[[str], AbstractContextManager[Progress]]
"""Opens a progress bar with a title."""


def make_report(order: Order, bars: Bars) -> int:
    """Make the report; how many figures it has.

    Raises
    ------
    SettingsError
        There is no such stream or frame, or `out` cannot be made.
    SessionError
        The session is damaged.
    ModelError
        A model's files are.
    """
    with (
        SessionReader(order.session) as session,
        replacing_folder(order.out) as folder,
    ):
        material = material_of(
            session, order.stream, order.frames, order.models, order.threads
        )
        page = (
            Page(_title(order), "", remarks=["The session has no streams yet."])
            if material is None
            else _page(material, order, folder, bars)
        )
        write_page(page, folder / PAGE)
        if order.page_only:
            remove_files(folder)
        elif order.wish.retrained:
            shutil.copytree(order.wish.retrained, folder / MODELS)
        _write_manifest(folder, page.command)
    return sum(len(part.pictures) for part in page.parts)


def _page(material: Material, order: Order, folder: Path, bars: Bars) -> Page:
    """The page; its figures and tables are written on the way."""
    with bars("reading atoms") as progress:
        survey = survey_of(material, progress)
    sections = contents(survey) if material.analyses else ()
    parts = []
    for section in sections:
        with bars(section.title.lower()) as progress:
            parts.append(_part(section, material, order, folder, progress))
    command = shlex.join(_command(material, order))
    told = methods(material, command)
    (folder / METHODS).write_text("\n\n".join(told) + "\n", encoding="utf-8")
    tables = methods_tables(material)
    for name, table in tables.items():
        write_table(table, folder, name)
    return Page(
        title=_title(order),
        subtitle=_subtitle(material),
        facts=facts(material, survey),
        remarks=remarks(material),
        parts=parts,
        methods=told,
        tables=[shown(name, table) for name, table in tables.items()],
        command=command,
        files={} if order.page_only else {each: each for each in (METHODS, MANIFEST)},
    )


def _part(
    section: Section,
    material: Material,
    order: Order,
    folder: Path,
    progress: Progress,
) -> Part:
    pictures, told = [], []
    for each in section.draw(material, order.wish, progress):
        if isinstance(each, Drawn):
            pictures.append(_picture(each, folder, order))
        else:
            told.append(each.text)
    return Part(section.name, section.title, tuple(pictures), tuple(told))


def _picture(drawn: Drawn, folder: Path, order: Order) -> Picture:
    """Write a figure with its tables, and say where they are."""
    png, svg = write_figure(drawn.figure, folder, drawn.name, order.dpi)
    tables = [write_table(table, folder, name) for name, table in drawn.tables.items()]
    links = {"PNG": png, "SVG": svg, **{path.name: path for path in tables}}
    return Picture(
        name=drawn.name,
        title=drawn.title,
        caption=drawn.caption,
        data=data_url(png),
        files={}
        if order.page_only
        else {
            words: path.relative_to(folder).as_posix() for words, path in links.items()
        },
        tables=tuple(shown(name, drawn.tables[name]) for name in drawn.shown),
    )


def _write_manifest(folder: Path, command: str) -> None:
    """Every file with its SHA-256: by it a report is known, and compared."""
    files = {name: sha256_of(folder / name) for name in sorted(files_in(folder))}
    said = {
        "made_by": MADE_BY,
        "command": command,
        "versions": versions(),
        "files": files,
    }
    text = json.dumps(said, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _title(order: Order) -> str:
    return f"Session {order.session.resolve().name}"


def _subtitle(material: Material) -> str:
    stream = material.stream.stream
    told = [f"{stream.source} / {stream.channel}", f"stream {stream.id}"]
    frames = material.session.frames(stream.id)
    if frames:
        told.append(f"received {moment(frames[0].received_ns)}")
    return " · ".join(told)


def _command(material: Material, order: Order) -> list[str]:
    """What makes the same report again, with nothing left to a default."""
    frames = ",".join(str(record.frame.seq) for record in material.chosen)
    return [
        "atomstream", "report", str(order.session), str(order.out),
        "--stream", material.stream.stream.id,
        *(["--frames", frames] if frames else []),
        *(word for folder in order.models for word in ("--model", str(folder))),
        "--window", order.wish.window.value,
        *(["--retrain"] if order.wish.retrained else []),
        *(["--page-only"] if order.page_only else []),
        "--dpi", str(order.dpi),
    ]  # fmt: skip
