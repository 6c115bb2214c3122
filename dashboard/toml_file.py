"""Files of settings: TOML of bounded size, and what is said to who writes it wrong."""

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from streamer.errors import SettingsError

MOST_BYTES = 2**16
"""Of a file."""


def read_toml(path: Path, what: str) -> dict[str, object]:
    """The keys of a TOML file, and their values.

    Parameters
    ----------
    what
        The file holds, as errors say it: "the rules".

    Raises
    ------
    SettingsError
        It cannot be read, is too long, or is no TOML.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1).decode()
    except OSError as error:
        raise SettingsError(
            f"{what} {path} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{what} {path} are not text in UTF-8") from error
    if len(text) > MOST_BYTES:
        raise SettingsError(f"{what} {path} are longer than {MOST_BYTES} characters")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is no TOML: {error}") from error


def nearest(word: str, known: Iterable[str]) -> str:
    """What may be meant by `word`, or all that could be."""
    words = [str(each) for each in known]
    close = get_close_matches(word, words, n=1)
    return f"; do you mean {close[0]}?" if close else f"; there are {', '.join(words)}"
