"""`atomstream models`: which models there are, and whether they are what they claim."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from inference.card import read_card
from inference.catalogue import find_model, shipped_models, verify_model

app = typer.Typer(no_args_is_help=True, help="List, show, draw and verify models.")

Name = Annotated[
    str, typer.Argument(metavar="NAME|DIR", help="A shipped model, or a folder.")
]


@app.command("list")
def list_models() -> None:
    """List the models that come with this version."""
    table = Table("name", "nm per pixel", "window nm", "latents", "size")
    for name, folder in shipped_models().items():
        card = read_card(folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
        table.add_row(
            name,
            f"{card.dcnn.pixel_size_nm:g}",
            f"{card.encoder.window_nm:g}",
            ", ".join(card.encoder.latents),
            f"{size / 1e6:.2f} MB",
        )
    Console().print(table)


@app.command()
def show(name: Name) -> None:
    """Print a model's card: what it expects, gives, and how well it was measured."""
    typer.echo(read_card(find_model(name)).model_dump_json(indent=2))


@app.command()
def draw(
    name: Name,
    out: Annotated[Path, typer.Argument(metavar="OUT.png", help="Picture to write.")],
    steps: Annotated[
        int, typer.Option(min=1, max=40, help="Images along each latent.")
    ] = 9,
) -> None:
    """Draw what a model's content latents mean: sub-images over their plane.

    The first latent grows to the right, the second upwards.

    Example: atomstream models draw graphene-si latents.png
    """
    from atomstream.contact_sheet import write_contact_sheet
    from inference.decode import load_decoder, manifold

    decoder = load_decoder(name)
    write_contact_sheet(manifold(decoder, steps), out)
    axes = " and ".join(decoder.card.latents[:2])
    typer.echo(f"{steps} x {steps} images over {axes} in {out}")


@app.command()
def verify(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME|DIR", help="One model; all shipped if left out."),
    ] = None,
) -> None:
    """Compare every file of a model with the SHA-256 on its card."""
    folders = [find_model(name)] if name else list(shipped_models().values())
    for folder in folders:
        card = verify_model(folder)
        typer.echo(f"{card.name}: whole ({', '.join(card.files)})")
