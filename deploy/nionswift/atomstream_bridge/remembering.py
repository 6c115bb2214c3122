"""Settings in a file of JSON, which is whole at any time."""

import json
from collections.abc import Mapping
from dataclasses import Field, asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from streamer.errors import AtomstreamError, SettingsError


class Settings(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


S = TypeVar("S", bound=Settings)


def remembered(file: Path, usual: S) -> tuple[S, str | None]:
    """What is remembered, and what was wrong with it; `usual` where it was."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return settings_of(values, usual), None
    except FileNotFoundError:
        return usual, None
    except (OSError, ValueError, AtomstreamError) as error:
        return usual, f"{file}: {error}; the settings are the usual ones"


def settings_of(values: object, usual: S) -> S:
    """The settings in a JSON map; what it leaves out is as usual.

    Raises
    ------
    AtomstreamError
        A name that is unknown, or a value of another type or out of range.
    """
    if not isinstance(values, Mapping):
        raise SettingsError("expected a map of settings")
    known = asdict(usual)
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"{str(name)[:80]!r} is no setting; there are "
                                + ", ".join(known))  # fmt: skip
        given[name] = _typed(name, value, type(known[name]))
    return replace(usual, **given)


def remember(file: Path, settings: Settings) -> None:
    """Remember `settings`; the file is whole at any time.

    Raises
    ------
    OSError
        It cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".part")
    fresh.write_text(json.dumps(asdict(settings), indent=1), encoding="utf-8")
    fresh.replace(file)


def _typed(name: str, value: object, kind: type) -> object:
    """`value`, which is of the type that setting `name` has."""
    if kind is tuple and isinstance(value, list):
        value = tuple(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    words = isinstance(value, tuple) and not all(isinstance(v, str) for v in value)
    if type(value) is not kind or words:
        raise SettingsError(f"{name} is {value!r:.80}, expected a {kind.__name__}")
    return value
