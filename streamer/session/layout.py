"""Where a session keeps what."""

import re
from dataclasses import dataclass
from pathlib import Path

INDEX_NAME = "session.sqlite"


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one session folder."""

    folder: Path

    @property
    def index(self) -> Path:
        """The SQLite index, written last: what it does not name is not there."""
        return self.folder / INDEX_NAME

    @property
    def frames(self) -> Path:
        """Folder of the raw frames."""
        return self.folder / "frames"

    @property
    def atoms(self) -> Path:
        """Folder of the atoms tables, one dataset to pandas and DuckDB."""
        return self.folder / "atoms"

    def frame(self, stream: int, seq: int) -> Path:
        """File of one frame."""
        return self.frames / f"{stem(stream, seq)}.tif"

    def table(self, stream: int, seq: int) -> Path:
        """File of the atoms of one frame."""
        return self.atoms / f"{stem(stream, seq)}.parquet"


def stem(stream: int, seq: int) -> str:
    """File name without its ending: "000007", and "01-000007" in a further stream."""
    return f"{seq:06d}" if stream == 0 else f"{stream:02d}-{seq:06d}"


def is_ours(path: Path) -> bool:
    """Whether a session could have written a file of this name.

    Others leave their own files between ours (Fiji does), which are not ours to remove.
    """
    return re.fullmatch(r"(\d{2,}-)?\d{6,}\.(tif|parquet)", path.name) is not None
