"""Settings as text that an operator reads and writes, and what is told beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

from streamer.errors import SettingsError

from .bridge import State
from .remembering import Settings
from .results import ResultsState
from .results_settings import VIEWS
from .settings import MIB

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting in a line of text, or as one of a few words."""

    label: str
    show: Callable[[Any], str]
    read: Callable[[str], Any]
    """Raises `ValueError` for what it does not understand."""
    expected: str
    choices: tuple[str, ...] = ()
    """All words that there are; none: anything may be written."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        "address": Entry("Address", str, str.strip, "tcp://HOST:PORT"),
        "key_folder": Entry("Key folder", str, str.strip, "a folder, or nothing"),
        "channels": Entry("Channels (empty: all)", ", ".join, _names, "names"),
        "partial_every_s": Entry(
            "Partial frames every … s (0: never)", "{:g}".format, float, "a number"
        ),
        "retention_mib": Entry("Keep at most … MiB", str, int, "a whole number"),
    }
)
RESULTS_ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        "view": Entry("Show", str, str.strip, "a word", VIEWS),
        "address": Entry("Address of the results", str, str.strip, "tcp://HOST:PORT"),
        "key_folder": Entry(
            "Key folder for the results", str, str.strip, "a folder, or nothing"
        ),
        "server_key": Entry(
            "Public key of the service", str, str.strip, "a key, or nothing"
        ),
    }
)


def changed(settings: S, name: str, entry: Entry, text: str) -> S:
    """Settings in which `name` is what `text` says in its entry.

    Raises
    ------
    AtomstreamError
        It says nothing that makes sense.
    """
    try:
        value = entry.read(text)
    except ValueError as error:
        raise SettingsError(
            f"{entry.label}: {text[:80]!r}, expected {entry.expected}"
        ) from error
    values: dict[str, Any] = {name: value}
    return replace(settings, **values)


def told(state: State) -> tuple[str, str, str]:
    """Where frames go, how many did, and what went wrong."""
    if not state.settings.enabled:
        where = "off"
    elif not state.url:
        where = "nothing is sent"
    else:
        sources = ", ".join(state.sources) or "no microscope yet"
        where = f"{sources} at {state.url}"
    counters = state.counters
    counts = (
        f"sent {counters.sent}, dropped {counters.dropped}, failed {counters.failed}, "
        f"subscribers {counters.subscribers}, kept {counters.kept_bytes / MIB:.0f} MiB"
    )
    return where, counts, state.problem


def results_told(state: ResultsState) -> tuple[str, str, str]:
    """Where results come from, how many did, and what went wrong."""
    if not state.settings.enabled:
        where = "off"
    elif not state.heeded.is_heard:
        where = f"nothing heard yet from {state.settings.address}"
    else:
        where = f"results from {state.settings.address}"
    counts = (
        f"received {state.heeded.received}, shown {state.shown.shown}, "
        f"passed over {state.passed_over}, "
        f"longest {state.shown.longest_s * 1e3:.0f} ms"
    )
    return where, counts, state.problem
