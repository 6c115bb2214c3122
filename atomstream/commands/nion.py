"""`atomstream nion`: what is needed beside Nion Swift."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The plug-in for Nion Swift.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def nion() -> None:
    """The plug-in for Nion Swift: sends what is scanned to atomstream."""


@app.command(short_help="The plug-in as a folder or a zip.")
def bundle(
    out: Annotated[
        Path,
        typer.Argument(help="Nion Swift's PlugIns folder, or a .zip to be made."),
    ],
) -> None:
    """Write the plug-in for Nion Swift's PlugIns folder.

    Nion Swift's Python needs pyzmq and msgpack. It makes that folder when it first
    starts, and names it in its log ("Loading plug-ins from ...").

    Example: atomstream nion bundle "~/.local/share/Nion/Nion Swift/PlugIns"
    """
    from atomstream.nion.bundling import bundle as write

    typer.echo(f"wrote {write(out.expanduser())}; start Nion Swift again to load it")
