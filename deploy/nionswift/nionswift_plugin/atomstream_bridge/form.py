"""Settings as text that an operator reads and writes, and what is told beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from streamer.errors import SettingsError

from .bridge import State
from .settings import MIB, BridgeSettings


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting in a line of text."""

    label: str
    show: Callable[[Any], str]
    read: Callable[[str], Any]
    """Raises `ValueError` for what it does not understand."""
    expected: str


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


def changed(settings: BridgeSettings, name: str, text: str) -> BridgeSettings:
    """Settings in which `name` is what `text` says.

    Raises
    ------
    AtomstreamError
        It says nothing that makes sense.
    """
    entry = ENTRIES[name]
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
