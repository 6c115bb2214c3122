"""All commands of `atomstream`.

Commands import what is heavy when they run, so that help and errors come at once.
"""

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
    replay,
    serve,
    sessions,
    simulate,
    tap,
    train,
)

app = typer.Typer(
    help="Live analysis for an atom-resolving electron microscope.",
    epilog="Start with: atomstream demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(demo.demo)
app.command()(serve.serve)
app.command()(replay.replay)
app.command()(analyze.analyze)
app.command()(dashboard.dashboard)
app.command()(simulate.simulate)
app.command()(export.export)
app.command()(tap.tap)
app.add_typer(sessions.app, name="sessions")
app.add_typer(models.app, name="models")
app.add_typer(keys.app, name="keys")
app.command()(evaluate.evaluate)
app.add_typer(train.app, name="train")
app.command()(doctor.doctor)
app.add_typer(bench.app, name="bench")
