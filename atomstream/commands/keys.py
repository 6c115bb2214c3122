"""`atomstream keys`: who this is, and who may connect."""

import re
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from atomstream.commands.security import Keys, key_folder
from streamer.errors import SecurityError
from streamer.key_changes import allow as allow_key
from streamer.key_changes import make_keys, whole_list
from streamer.key_changes import revoke as revoke_name
from streamer.keys import public_key

app = typer.Typer(
    no_args_is_help=True,
    help="This user's keys, and whose keys are let in.",
    epilog="Streams that reach beyond this computer are encrypted, and only those may "
    "connect whose public key is allowed where the stream comes from.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called here.")]


@app.command()
def new(
    keys: Keys = None,
    renew: Annotated[
        bool,
        typer.Option(
            "--renew", help="Replace the keys; all who connect need the new public key."
        ),
    ] = False,
) -> None:
    """Make a pair of keys: a private one, which stays here, and a public one.

    Example: atomstream keys new
    """
    folder = key_folder(keys)
    public = make_keys(folder, renew=renew)
    typer.echo(f"made keys in {folder.path}; the public one:")
    typer.echo(public.hex())


@app.command()
def show(keys: Keys = None) -> None:
    """Print the public key, to be given to others; it is no secret.

    Example: atomstream keys show
    """
    typer.echo(key_folder(keys).public().hex())


@app.command("list")
def list_keys(keys: Keys = None) -> None:
    """List who may connect."""
    folder = key_folder(keys)
    allowed = whole_list(folder)
    if not allowed:
        typer.echo(f"nobody is allowed in {folder.path}")
        return
    table = Table("name", "public key")
    for name, key in allowed.items():
        table.add_row(name, key.hex())
    Console(width=max(120, Console().width)).print(table)


@app.command()
def allow(
    name: Name,
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY|FILE", help="Public key, as `atomstream keys show` prints it."
        ),
    ],
    keys: Keys = None,
) -> None:
    """Let somebody connect to what is published here, at once.

    Example: atomstream keys allow analysis-pc public.key
    """
    folder = key_folder(keys)
    if re.fullmatch(r"[0-9A-Fa-f]{64}", name):
        raise SecurityError("the name comes first: atomstream keys allow NAME KEY")
    allow_key(folder, name, public_key(key))
    typer.echo(f"{name} may connect")


@app.command()
def revoke(name: Name, keys: Keys = None) -> None:
    """Let somebody connect no more; running publishers cut the connection at once.

    Example: atomstream keys revoke analysis-pc
    """
    revoke_name(key_folder(keys), name)
    typer.echo(f"{name} may connect no more")
