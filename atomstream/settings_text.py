"""Settings as TOML for people: an example with all keys, and what a service takes."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from atomstream.retention import Retention
from atomstream.settings_file import RETENTION, RULES, TABLES, SettingsFile
from dashboard.alert_rules import AlertRules

WIDTH = 80
NEEDED = ("connect", "record")
"""Keys without which there is no service."""
ALERT_EXAMPLES: Mapping[str, object] = {
    "crystallinity_below": 0.8,
    "hole_area_above_nm2": 20,
    "hole_growth_above_nm2_per_min": 0.5,
    "silicon_below": 1,
    "carbon_loss_above_percent": 5,
}
"""For rules that are off by default."""
TITLE = """\
# Settings of `atomstream serve --settings FILE.toml`. An option goes before the
# environment (ATOMSTREAM_…), that before this file. Relative paths start from this
# file's folder. Keys behind # are as by default, or examples of what has no default.
# No secret stands here: password_file names a file.
"""


@dataclass(frozen=True, slots=True)
class Effective:
    """The value of one setting, and where it comes from."""

    key: str
    value: object
    """As TOML has it; None if it is not set."""
    origin: str


def toml_value(value: object) -> str:
    """A text, number, truth value or list of such, as TOML writes it."""
    return json.dumps(value, ensure_ascii=False)


def example(defaults: Mapping[str, object]) -> str:
    """A file of settings with all keys, each explained, as it is to begin with.

    Parameters
    ----------
    defaults
        Of the options, by name; None for none.
    """
    options = {
        key: defaults.get(key) if field.examples is None else field.examples[0]
        for key, field in SettingsFile.model_fields.items()
        if key not in TABLES
    }
    rules = {
        key: ALERT_EXAMPLES.get(key, value)
        for key, value in AlertRules().model_dump(mode="json").items()
    }
    quotas = {
        key: field.examples[0] if field.examples else None
        for key, field in Retention.model_fields.items()
    }
    return "\n".join(
        (
            TITLE,
            *entries(SettingsFile, options),
            f"[{RULES}]",
            "# `false` switches a rule off.",
            "",
            *entries(AlertRules, rules),
            f"[{RETENTION}]",
            "# Of `atomstream sessions prune FOLDER --settings FILE.toml`; a service "
            "does",
            "# not use it.",
            "",
            *entries(Retention, quotas),
        )
    )


def entries(model: type[BaseModel], values: Mapping[str, object]) -> Iterator[str]:
    """Explanation and value of each key; only what is needed is no comment."""
    for key, value in values.items():
        said = " ".join((model.model_fields[key].description or "").split())
        yield from textwrap.wrap(
            said, WIDTH, initial_indent="# ", subsequent_indent="# "
        )
        mark = "" if key in NEEDED else "# "
        yield f"{mark}{key} = {toml_value(value)}\n"


def effective_in_words(settings: Iterable[Effective]) -> Iterator[str]:
    """A line of TOML for each, with where it comes from."""
    lines = [
        (
            f"# {each.key}" if each.value is None
            else f"{each.key} = {toml_value(each.value)}",
            each.origin,
        )
        for each in settings
    ]  # fmt: skip
    width = min(48, max(len(line) for line, _ in lines))
    for line, origin in lines:
        yield f"{line:{width}}  # {origin}"
