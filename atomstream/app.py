"""All commands of `atomstream`.

Commands import what is heavy when they run, so that help and errors come at once.
"""

from importlib.metadata import version
from typing import Annotated

import typer

from atomstream.commands import (
    analyze,
    bench,
    dashboard,
    demo,
    doctor,
    evaluate,
    export,
    keys,
    models,
    nion,
    replay,
    report,
    serve,
    sessions,
    settings,
    simulate,
    tap,
    train,
)
from atomstream.commands.settings_option import ENVIRONMENT

app = typer.Typer(
    help="Live analysis for an atom-resolving electron microscope.",
    epilog="Start with: atomstream demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # its tables cut the names of options at 80 columns
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def say_version(wanted: bool) -> None:
    """Say it and end, where that is wanted."""
    if wanted:
        typer.echo(f"atomstream {version('atomstream')}")
        raise typer.Exit


@app.callback()
def atomstream(
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=say_version,
            is_eager=True,
            help="Say which version this is, and end.",
        ),
    ] = False,
) -> None:
    """All commands."""


app.command(short_help="A simulated microscope, the service and its page.")(demo.demo)
app.command(
    short_help="The service: receive, keep, analyse, publish.",
    context_settings=ENVIRONMENT,
)(serve.serve)
app.command(short_help="A recorded stack as a live stream.")(replay.replay)
app.command(short_help="A recorded stack into a session.")(analyze.analyze)
app.command(short_help="The page, for a session or a running service.")(
    dashboard.dashboard
)
app.command(short_help="A movie, and the exact truth of every atom.")(simulate.simulate)
app.command(short_help="The atoms of a session as one table.")(export.export)
app.command(short_help="The paper's figures for a session, on one page.")(report.report)
app.command(short_help="What travels on a stream, a line a message.")(tap.tap)
app.add_typer(sessions.app, name="sessions")
app.add_typer(settings.app, name="settings")
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.command(short_help="How good a model is, in one table.")(evaluate.evaluate)
app.add_typer(train.app, name="train")
app.command(short_help="Whether this machine can do the work.")(doctor.doctor)
app.add_typer(nion.app, name="nion")
app.add_typer(bench.app, name="bench")
