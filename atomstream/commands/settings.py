"""`atomstream settings`: what a service is told, by whom, and whether it may be."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from atomstream.commands.page_options import alert_rules
from atomstream.commands.settings_option import PREFIX
from atomstream.retention import Retention
from atomstream.settings_file import RETENTION, RULES, TABLES, SettingsFile
from atomstream.settings_text import (
    NEEDED,
    Effective,
    effective_in_words,
)
from atomstream.settings_text import example as example_text
from dashboard.alert_rules import AlertRules

if TYPE_CHECKING:
    from typer.core import TyperCommand, TyperGroup

app = typer.Typer(
    no_args_is_help=True,
    help="Show, check and explain the settings of a service.",
    epilog="Each setting is an option of `atomstream serve`, a variable of the "
    "environment (ATOMSTREAM_PIXEL_SIZE is --pixel-size) or a key of a file that "
    "`serve --settings` names; the first that gives it counts (docs/settings.md).",
)


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
    }
)
def show(context: typer.Context) -> None:
    """Print what a service would take, and from where.

    Takes the options of `atomstream serve`.

    Example: atomstream settings show --settings atomstream.toml --threads 2
    """
    serving = as_served(context, context.args)
    typer.echo("\n".join(effective_in_words(taken(serving))))
    rules = alert_rules(serving.params["alerts"], serving.params["settings"])
    typer.echo(f"\n[{RULES}]")
    typer.echo("\n".join(effective_in_words(rules_taken(rules, serving))))
    typer.echo(f"\n[{RETENTION}]")
    typer.echo("\n".join(effective_in_words(quotas_taken(serving))))


@app.command()
def check(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE.toml", help="A file of settings.")
    ],
) -> None:
    """Say whether a service could be started with a file.

    Looks at each key and value, at the files that they name, the keys, the model and
    the device; not whether ports are free, and connects to nobody.

    Example: atomstream settings check atomstream.toml
    """
    serving = as_served(context, ["--settings", str(file), "--check"])
    missing = [key for key in NEEDED if not serving.params[key]]
    if not missing:
        with serving:
            serving.command.invoke(serving)
        typer.echo(f"{file}: valid; a service can be started with it")
        return
    typer.echo(f"{file}: valid; a service needs {' and '.join(missing)} too")


@app.command()
def example(context: typer.Context) -> None:
    """Print a file with every setting, to begin with.

    Example: atomstream settings example > atomstream.toml
    """
    options = {param.name: param.default for param in serve_of(context).params}
    typer.echo(example_text({str(k): written(v) for k, v in options.items()}), nl=False)


def serve_of(context: typer.Context) -> "TyperCommand":
    """The command `serve`."""
    everything = cast("TyperGroup", context.find_root().command)
    return cast("TyperCommand", everything.commands["serve"])


def as_served(context: typer.Context, arguments: list[str]) -> typer.Context:
    """What `serve` makes of its arguments, without beginning its work."""
    return cast("typer.Context", serve_of(context).make_context("serve", arguments))


def taken(serving: typer.Context) -> Iterator[Effective]:
    """Each setting of a service but those in tables."""
    for key in SettingsFile.model_fields:
        if key not in TABLES:
            value = written(serving.params[key])
            yield Effective(key, value, origin(serving, key, value))


def rules_taken(rules: AlertRules, serving: typer.Context) -> Iterator[Effective]:
    """Each rule of what the page alerts of."""
    file = serving.params["alerts"] or file_of(serving)
    for key, value in rules.model_dump(mode="json").items():
        is_told = key in rules.model_fields_set
        # TOML has no null: `false` switches a rule off.
        told = False if value is None else value
        yield Effective(key, told, str(file) if is_told else "default")


def quotas_taken(serving: typer.Context) -> Iterator[Effective]:
    """Each quota of sessions, which only a file says."""
    settings: SettingsFile | None = serving.params["settings"]
    quotas = (settings and settings.retention) or Retention()
    for key, value in quotas.model_dump(mode="json").items():
        where = "not set" if value is None else str(file_of(serving))
        yield Effective(key, value, where)


def origin(serving: typer.Context, key: str, value: object) -> str:
    """Where the value of an option comes from, in words."""
    source = serving.get_parameter_source(key)
    match source and source.name:
        case "COMMANDLINE":
            return f"--{key.replace('_', '-')}"
        case "ENVIRONMENT":
            return PREFIX + key.upper()
        case "DEFAULT_MAP":
            return str(file_of(serving))
        case _:
            return "not set" if value is None else "default"


def file_of(serving: typer.Context) -> Path | None:
    """The file of settings, if there is one."""
    settings: SettingsFile | None = serving.params["settings"]
    return settings.path if settings else None


def written(value: object) -> object:
    """The value of an option as TOML has it; None for one that says nothing."""
    match value:
        case Enum():
            return value.value
        case Path():
            return str(value)
        case list() | tuple():
            return [str(each) for each in value] or None
        case _:
            return value
