"""The option that names a file of settings, and what goes before it.

What is given as an option goes before the environment, that before the file, and that
before the default.
"""

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from atomstream.settings_file import RULES, SECRET, SettingsFile
from streamer.errors import SettingsError

PREFIX = "ATOMSTREAM_"
"""Of the environment's variables: ATOMSTREAM_PIXEL_SIZE is --pixel-size."""
ENVIRONMENT = {"auto_envvar_prefix": PREFIX.removesuffix("_")}
"""Has a command look there for all of its options."""
PAGE = {
    "address": "dashboard",
    **{
        key: key
        for key in (
            "password_file",
            "tls_cert",
            "tls_key",
            "allow_origin",
            "insecure",
            "log_format",
            "log_level",
        )
    },
}
"""Options of `dashboard` that a file may give, and their keys there."""
NEAR = 0.75
"""From which likeness on another variable is taken for a slip of the pen."""

log = logging.getLogger("settings")


def read_settings(path: str) -> SettingsFile:
    """What the file of an option says.

    Raises
    ------
    SettingsError
        As for `SettingsFile.read`.
    """
    return SettingsFile.read(Path(path))


def as_defaults(
    keys: Mapping[str, str] | None = None,
) -> Callable[[typer.Context, SettingsFile | None], SettingsFile | None]:
    """What makes a file the source of what neither options nor environment give.

    Parameters
    ----------
    keys
        Of options, the key of each in the file; None where all have their own names.
    """

    def callback(
        context: typer.Context, settings: SettingsFile | None
    ) -> SettingsFile | None:
        if context.auto_envvar_prefix:
            check_environment(os.environ)
        if settings is not None:
            told = settings.options()
            names = keys or dict(zip(told, told, strict=True))
            context.default_map = {
                name: told[key] for name, key in names.items() if key in told
            }
        return settings

    return callback


def check_environment(names: Iterable[str]) -> None:
    """Refuse a secret in the environment; warn of a name that is nearly a setting's.

    Raises
    ------
    SettingsError
        There is a password.
    """
    known = {*SettingsFile.model_fields, "settings"}
    for name in names:
        key = name.removeprefix(PREFIX).lower()
        if not name.startswith(PREFIX) or key in known:
            continue
        if key == "password":
            said = SECRET.format(password_file=f"{PREFIX}PASSWORD_FILE")
            raise SettingsError(f"{name} is set: {said}")
        if close := get_close_matches(key, known, 1, NEAR):
            log.warning(
                "%s is no setting; do you mean %s?", name, PREFIX + close[0].upper()
            )


ServiceSettingsFile = Annotated[
    SettingsFile | None,
    typer.Option(
        "--settings",
        metavar="FILE.toml",
        parser=read_settings,
        callback=as_defaults(),
        is_eager=True,
        help="Take from here what is not given otherwise; `atomstream settings "
        "example` prints one.",
    ),
]
PageSettingsFile = Annotated[
    SettingsFile | None,
    typer.Option(
        "--settings",
        metavar="FILE.toml",
        parser=read_settings,
        callback=as_defaults(PAGE),
        is_eager=True,
        help="Take from here what it says of the page and is not given otherwise: "
        f"{', '.join(PAGE.values())} and [{RULES}].",
    ),
]
