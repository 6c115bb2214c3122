"""Files that viewers take away: the atoms of the shown frame, or those in a region."""

import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dashboard.region import Region, region
from dashboard.scene import Scene, drawable_columns

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ATOMS = 250_000
"""In a frame of which a file is made: it is made in memory, and sent as one message."""

FORMATS = ("csv", "parquet")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a viewer asks for."""

    format: str
    seq: int
    """The frame that the viewer saw when asking."""
    run: str | None
    """Id of its stream; None if that is not told."""
    region: Region | None
    """None for all atoms of the frame."""


@dataclass(frozen=True, slots=True)
class File:
    """What the browser is to save."""

    name: str
    content: bytes


def wanted(told: str) -> Wanted:
    """A wish as the page tells it, in JSON.

    Raises
    ------
    ValueError
        It makes no sense.
    """
    try:
        wish = json.loads(told)
    except RecursionError:
        raise ValueError("a wish is not that deep") from None
    if not isinstance(wish, dict) or wish.get("format") not in FORMATS:
        raise ValueError(f"atoms are taken away as {' or '.join(FORMATS)}")
    seq, within, run = wish.get("frame"), wish.get("region"), wish.get("run")
    if type(seq) is not int or not isinstance(within, dict | None):
        raise ValueError("a wish names a frame and, if any, a region")
    if not isinstance(run, str | None):
        raise ValueError("a wish names the run of its frame by its id")
    part = None if within is None else region(within)
    return Wanted(wish["format"], seq, run, part)


def taken(scene: Scene, stream: str, wish: Wanted) -> File:
    """The atoms of `scene` that are wished for, in the columns of a session's tables.

    All that the analysis found are asked, also where not all of them are drawn. The
    number of the stream in its session is not known here, and is no column.

    Parameters
    ----------
    stream
        What to call the stream in the file's name.

    Raises
    ------
    ValueError
        The frame has too many atoms, or no such axes as the region's.
    """
    if len(scene.table) > MOST_ATOMS:
        raise ValueError(
            f"{len(scene.table):,} atoms are too many for the page: "
            "atomstream export writes them"
        )
    # Readers of files take long to import, and most pages never need them.
    from streamer.session import atoms_table

    place = {
        "frame": scene.seq,
        "time_s": scene.time_s,
        "dose_e_nm2": scene.dose_e_nm2,
    }
    table = atoms_table.table(place, scene.table, scene.model.latents)
    if wish.region is not None:
        table = table.take(np.flatnonzero(_held(scene, wish.region)))
    content = atoms_table.parquet(table) if wish.format == "parquet" else _csv(table)
    return File(file_name(stream, scene.seq, wish), content)


def _held(scene: Scene, within: Region) -> NDArray[np.bool_]:
    """(N,) which of all atoms of `scene` lie in a region."""
    calibrated = scene.extent.unit == "nm"
    columns = drawable_columns(scene.table, scene.model, calibrated=calibrated)
    try:
        return within.holds(columns)
    except KeyError as error:
        raise ValueError(f"this frame's atoms have no {error}") from None


def _csv(table: "pa.Table") -> bytes:
    from streamer.session.export_csv import csv_lines

    file = io.BytesIO()
    with csv_lines(file, table.schema) as write:
        write(table)
    return file.getvalue()


def file_name(stream: str, seq: int, wish: Wanted) -> str:
    """By which the browser saves it: plain letters, whatever the stream is called."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", stream).strip("-")[:60] or "atoms"
    part = "" if wish.region is None else "-selection"
    return f"{plain}-frame-{seq}{part}.{wish.format}"
