"""Where a file is to be written, looked at before the work is done that it is for."""

from pathlib import Path

from streamer.errors import SettingsError


def check_place(out: Path, example: str) -> None:
    """Refuse a place where no file can be.

    Parameters
    ----------
    example
        Name of such a file, for what is said.

    Raises
    ------
    SettingsError
        It is a folder, or lies in none.
    """
    if out.is_dir():
        raise SettingsError(
            f"{out} is a folder; name a file in it, for instance {out / example}"
        )
    if not out.parent.is_dir():
        raise SettingsError(f"{out.parent} is not a folder; make it first")
