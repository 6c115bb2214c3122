"""The folder of a report: there whole, or as it was before."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from streamer.errors import SettingsError
from streamer.session.layout import INDEX_NAME

MANIFEST = "report.json"
"""Names every file of a report: by it a folder is known to be one."""
MADE_BY = "atomstream report"
MOST_MANIFEST_BYTES = 2**24


@contextmanager
def replacing_folder(out: Path) -> Iterator[Path]:
    """Folder that takes the place of `out` when the block ends.

    When the block raises, `out` stays as it was and nothing is left behind.

    Raises
    ------
    SettingsError
        `out` cannot be made, or holds what no report has made.
    """
    check_folder(out)
    new = out.with_name(f".{out.name}.{uuid4().hex[:8]}.tmp")
    old = new.with_suffix(".old")
    try:
        new.mkdir()
        yield new
        if out.exists():
            out.rename(old)
        new.rename(out)
    except OSError as error:
        raise SettingsError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def check_folder(out: Path) -> None:
    """Refuse a place that holds what would be lost.

    Raises
    ------
    SettingsError
        A file, a link, a folder in none, within a session, or with files in it that no
        report has made.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise SettingsError(f"{out} is no folder; name one that a report may fill")
    if not out.parent.is_dir():
        raise SettingsError(f"{out.parent} is not a folder; make it first")
    for above in out.resolve().parents:
        if (above / INDEX_NAME).exists():
            raise SettingsError(
                f"{out} lies in the session {above}, which holds nothing but its own "
                "files; name a place beside it"
            )
    if not out.exists():
        return
    named = files_named(out)
    # Of what is no report at all, not more is looked at than is said.
    found = files_in(out) if named else {each.name for each in out.iterdir()}
    foreign = sorted(found - named)
    if foreign:
        raise SettingsError(
            f"{out} holds {foreign[0]}, which no report has made; name another folder"
        )


def files_in(folder: Path) -> set[str]:
    """Paths within a folder of all that is no folder itself."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def files_named(folder: Path) -> set[str]:
    """Those that its manifest says are a report's; none without one."""
    try:
        path = folder / MANIFEST
        if path.is_symlink() or path.stat().st_size > MOST_MANIFEST_BYTES:
            return set()
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return set()
    if not isinstance(said, dict) or said.get("made_by") != MADE_BY:
        return set()
    files = said.get("files")
    return {MANIFEST, *map(str, files)} if isinstance(files, dict) else set()
