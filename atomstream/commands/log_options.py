"""Options that say how a command tells what it does while it runs."""

import logging
from collections.abc import Callable
from typing import Annotated

import typer

from atomstream.logs import LogFormat, LogLevel, LogSettings, start_logging

LogFormatName = Annotated[
    LogFormat,
    typer.Option(
        "--log-format",
        help="How lines of the log are written, on stderr: text, or json, an object a "
        "line (docs/operating.md).",
    ),
]
LogLevelName = Annotated[
    LogLevel,
    typer.Option(
        "--log-level",
        help="From which weight on: info has a line for each frame that is analysed, "
        "debug one for each that is received, too.",
    ),
]


def start_log(process: str, form: LogFormat, level: LogLevel) -> LogSettings:
    """Have this command log so; the same for the processes that it starts."""
    settings = LogSettings(form, level)
    start_logging(settings, process)
    return settings


def teller(logs: LogSettings, name: str) -> Callable[[str], None]:
    """What tells people something: on stdout, or in the log where programs read it."""
    if logs.format is LogFormat.JSON:
        return lambda text: logging.getLogger(name).info("%s", text)
    return typer.echo
