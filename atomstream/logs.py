"""What processes say while they run: lines on stderr, as text or JSON.

A line is one line, whatever stands in it: names of sources and messages of others may
hold line ends, and must not look like what this program says.
"""

import json
import logging
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Self

from atomstream.flood import Flood
from streamer.log_fields import FIELDS

FATAL = "atomstream"
"""Logger of what ends a process."""
ESCAPED = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}
"""Line ends, and what a terminal would obey."""
LIBRARIES = {
    "tifffile": logging.CRITICAL,  # what is wrong with a file, which we say too
    "bokeh": logging.WARNING,  # a line for each page that is opened
    "tornado.access": logging.WARNING,  # a line for each request
    "onnx_ir": logging.WARNING,  # what it folds and removes when a model is saved
    "onnxscript": logging.WARNING,  # likewise
    # Packages that it could do without; torch resets "torch.onnx" when imported.
    "torch.onnx._internal": logging.ERROR,
}
"""Least level of libraries, so that they add no lines to what we say in one."""


OURS = ("receive", "analyse", "dashboard", "metrics", "service")
"""Loggers that may say more than libraries: what those debug is not ours."""


class LogFormat(StrEnum):
    """How lines are written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """From which weight on lines are written."""

    DEBUG = "debug"
    """Also each frame that is received."""
    INFO = "info"
    """Also each frame that is analysed."""
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written, and how."""

    format: LogFormat = LogFormat.TEXT
    level: LogLevel = LogLevel.INFO


def start_logging(
    settings: LogSettings, process: str, shown: str | None = None
) -> None:
    """Write to stderr from now on, in place of what did so before.

    Parameters
    ----------
    process
        Name of this process, in JSON.
    shown
        What text has before its messages; None for the name of each logger.
    """
    is_json = settings.format is LogFormat.JSON
    handler = Lines(Flood(time.monotonic))
    handler.setFormatter(JsonLine(process) if is_json else TextLine(shown))
    root = logging.getLogger()
    for other in [each for each in root.handlers if isinstance(each, Lines)]:
        root.removeHandler(other)
        other.close()
    root.addHandler(handler)
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    root.setLevel(max(level, logging.INFO))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name, least in LIBRARIES.items():
        logging.getLogger(name).setLevel(max(level, least))
    logging.captureWarnings(is_json)
    if is_json:
        sys.excepthook = lambda _kind, error, _trace: log_death(error)
        threading.excepthook = log_death_of_thread


def say_fatal(error: Exception) -> None:
    """Say why this process ends."""
    logging.getLogger(FATAL).critical("%s", error)


def log_death(error: BaseException) -> None:
    """Write what nobody has caught, and where it comes from."""
    log = logging.getLogger(FATAL)
    log.critical("%s: %s", type(error).__name__, error, exc_info=error)


def log_death_of_thread(death: threading.ExceptHookArgs) -> None:
    """Write what nobody has caught in a thread."""
    if death.exc_value is not None:
        log_death(death.exc_value)


class Place(NamedTuple):
    """Where in the program lines come from, and how much they weigh."""

    logger: str
    path: str
    line: int
    level: int

    @classmethod
    def of(cls, record: logging.LogRecord) -> Self:
        """That of a record."""
        return cls(record.name, record.pathname, record.lineno, record.levelno)

    def about(self, text: str, *values: object) -> logging.LogRecord:
        """A record as from there."""
        return logging.LogRecord(
            self.logger, self.level, self.path, self.line, text, values, None
        )


ANYWHERE = Place("log", "", 0, logging.WARNING)
LEFT_OUT = "%d lines more, like others within a minute, were left out"


class Lines(logging.Handler):
    """Writes records to what stderr is at the time, and floods only in part.

    Of those from one place in the program with one level, so many are written in a
    minute; what was left out is said afterwards. A line for each frame is no flood.
    """

    def __init__(self, flood: Flood[Place]) -> None:
        super().__init__()
        self._flood = flood

    def emit(self, record: logging.LogRecord) -> None:
        """Write it, if it is not one too many."""
        self._tell_left_out(at_once=False)
        if record.levelno <= logging.INFO and hasattr(record, FIELDS):
            self._write(record)
            return
        if self._flood.admits(Place.of(record)):
            self._write(record)

    def close(self) -> None:
        """Say what was left out last."""
        self._tell_left_out(at_once=True)
        super().close()

    def _tell_left_out(self, *, at_once: bool) -> None:
        for place, count in self._flood.over(at_once=at_once):
            self._write((place or ANYWHERE).about(LEFT_OUT, count))

    def _write(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 # as each handler does: it says so itself
            self.handleError(record)


class TextLine(logging.Formatter):
    """For people: time, who says it, what.

    Parameters
    ----------
    shown
        Who says it; None for the name of each logger.
    """

    def __init__(self, shown: str | None = None) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._shown = shown

    def format(self, record: logging.LogRecord) -> str:
        """One line, and below it, indented, where an error comes from."""
        message = plain(record.getMessage())
        if record.name == FATAL and not record.exc_info:
            return f"{FATAL}: {message}"
        name = self._shown or record.name
        lines = [f"{self.formatTime(record, self.datefmt)} {name}: {message}"]
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            lines += [f"  {plain(line)}" for line in trace.splitlines()]
        return "\n".join(lines)


class JsonLine(logging.Formatter):
    """For programs: an object a line.

    Parameters
    ----------
    process
        Name of this process.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One line: in JSON texts have no line ends."""
        time_utc = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": time_utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "pid": record.process,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def plain(text: str) -> str:
    """Text without line ends and without anything that a terminal would obey."""
    return text.translate(ESCAPED)
