"""Figures and tables as the files of a report."""

import hashlib
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from matplotlib.figure import Figure

from atomstream.report.figures.style import styled

UNUSUAL = re.compile(r"[^A-Za-z0-9_-]")
FIGURES, TABLES = "figures", "tables"
MOST_CSV_ROWS = 100_000
"""Of more rows a table becomes a Parquet file."""


@styled
def write_figure(figure: Figure, folder: Path, name: str, dpi: int) -> list[Path]:
    """The PNG and the SVG of a figure, the same bytes for the same figure."""
    (folder / FIGURES).mkdir(exist_ok=True)
    png, svg = (folder / FIGURES / f"{name}.{ending}" for ending in ("png", "svg"))
    figure.savefig(png, dpi=dpi, metadata={"Software": None})
    # Laid out once for both, which takes as long as drawing.
    figure.set_layout_engine("none")
    figure.savefig(svg, dpi=dpi, metadata={"Date": None, "Creator": None})
    return [png, svg]


def write_table(table: pa.Table, folder: Path, name: str) -> Path:
    """A CSV file, of a long table a Parquet file."""
    (folder / TABLES).mkdir(exist_ok=True)
    # Latents may have any name, and must not lead anywhere.
    name = UNUSUAL.sub("_", name)
    if len(table) > MOST_CSV_ROWS:
        path = folder / TABLES / f"{name}.parquet"
        pyarrow.parquet.write_table(table, path, compression="zstd")
        return path
    path = folder / TABLES / f"{name}.csv"
    pyarrow.csv.write_csv(_plain(table), path)
    return path


def remove_files(folder: Path) -> None:
    """Leave nothing of the figures and tables."""
    for name in (FIGURES, TABLES):
        shutil.rmtree(folder / name, ignore_errors=True)


def sha256_of(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(table: pa.Table) -> pa.Table:
    """Names as words instead of codes: CSV has no dictionaries."""
    kinds = [
        field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(kinds))
