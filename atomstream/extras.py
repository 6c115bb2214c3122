"""Whether what an extra brings is installed."""

from collections.abc import Sequence
from importlib.util import find_spec

from streamer.errors import SettingsError


def check_extra(what: str, extra: str, needed: Sequence[str]) -> None:
    """Refuse to begin where what is needed is not installed.

    Parameters
    ----------
    what
        What was to be done, as the refusal names it.
    extra
        Of this project, that brings it.
    needed
        Modules.

    Raises
    ------
    SettingsError
        One is missing.
    """
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"{what} needs {', '.join(missing)}; install it with: uv sync --extra "
            f"{extra}"
        )
