"""The plug-in as a folder or a zip for Nion Swift's PlugIns folder."""

import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import atomstream_bridge
import streamer
from atomstream_bridge.carrying import carried
from atomstream_bridge.manifest import FILE, manifest
from streamer.errors import SettingsError

NAME = "atomstream_bridge"


def bundle(out: Path) -> Path:
    """Write the plug-in, with all of ours that it needs.

    Parameters
    ----------
    out
        A folder, in which a folder `NAME` is made anew, or a file that ends in ".zip"
        and will hold the same.

    Returns
    -------
    path
        The folder or the file that was made.

    Raises
    ------
    SettingsError
        It cannot be written, or something else is in its place.
    """
    try:
        return _zip(out) if out.suffix == ".zip" else _folder(out)
    except OSError as error:
        raise SettingsError(f"{out} cannot be written: {error.strerror}") from error


def parts() -> Iterator[tuple[Path, bytes]]:
    """Each file of the plug-in: its place in the bundle, and what is in it."""
    plug_in = Path(atomstream_bridge.__file__).parent
    yield Path(NAME, FILE), manifest(version("atomstream")).encode()
    for file in sorted(plug_in.glob("*.py")):
        yield Path(NAME, file.name), file.read_bytes()
    for file, place in carried(Path(streamer.__file__).parent).items():
        yield NAME / place, file.read_bytes()


def _zip(out: Path) -> Path:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in parts():
            archive.writestr(place.as_posix(), content)
    return out


def _folder(out: Path) -> Path:
    made = out / NAME
    _remove_former(made)
    for place, content in parts():
        file = out / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return made


def _remove_former(folder: Path) -> None:
    """Remove the plug-in's modules that a bundle made before; nothing else."""
    if folder.exists() and not (folder / FILE).is_file():
        raise SettingsError(f"{folder} is there and holds no plug-in; name another")
    for file in folder.rglob("*.py"):
        file.unlink()
