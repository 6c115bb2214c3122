"""`atomstream models`: which there are, whether they are whole, and other people's."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from atomstream.commands.options import warn_of_trial
from atomstream.training import check_extra
from inference.card import card_text, read_card
from inference.catalogue import find_model, shipped_models, verify_model
from streamer.errors import SettingsError

app = typer.Typer(
    no_args_is_help=True, help="List, show, draw, verify and import models."
)

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
def show(
    name: Name,
    as_json: Annotated[
        bool, typer.Option("--json", help="The whole card, as it is in the file.")
    ] = False,
) -> None:
    """Show a model's card: what it expects and gives, where it must not be trusted.

    Example: atomstream models show graphene-si
    """
    folder = find_model(name)
    if as_json:
        typer.echo(read_card(folder).model_dump_json(indent=2))
        return
    from atomstream.card_table import card_rows

    table = Table("", "", title=name, show_header=False)
    for what, told in card_rows(read_card(folder), card_text(folder)):
        table.add_row(what, told)
    Console().print(table)


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
    from atomstream.contact_sheet import check_picture, write_contact_sheet
    from inference.decode import load_decoder, manifold

    check_picture(out)
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


@app.command("import")
def import_model(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A Unet, VAE or rVAE that AtomAI saved."),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the new model.")
    ],
    pixel_size: Annotated[
        float,
        typer.Option(
            "--pixel-size",
            metavar="NM",
            min=0.001,
            max=0.1,
            help="Side of a pixel, in nm, of the frames it was trained on: AtomAI does "
            "not store it.",
        ),
    ],
    encoder: Annotated[
        Path | None,
        typer.Option(
            "--encoder", metavar="FILE", help="VAE or rVAE to go with a Unet."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Of the new model; the folder's if left out."),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option("--threshold", help="Least probability at an atom's centre."),
    ] = 0.5,
    crystallinity: Annotated[
        str,
        typer.Option(
            "--crystallinity",
            metavar="z1|z2|-z1|-z2",
            help="Latent that grows with order, or with - shrinks.",
        ),
    ] = "z1",
) -> None:
    """Make a model of weights that AtomAI saved, as .tar or .pt.

    The file is read as data: nothing in it is run. What it does not bring, the network
    that sees atoms or the one that sees order, comes from the shipped model. Needs
    the extra called train.

    Example: atomstream models import unet.tar --encoder rvae.tar --pixel-size 0.0156
    --out mine
    """
    from inference.training.atomai.networks import read_pair

    latent = _latent_number(crystallinity)
    # A file that is of no use is not worth installing anything for.
    unet, vae = read_pair(file, encoder)
    check_extra("importing")
    from inference.training.atomai.bringing import Wanted, bring

    wanted = Wanted(name or out.name, pixel_size, threshold, latent)
    card = bring(unet, vae, wanted, out)
    typer.echo(f"{card.name}: {', '.join(card.files)} in {out}")
    for limit in card.limits:
        typer.echo(f"  {limit}")


@app.command()
def use(
    name: Name,
    session: Annotated[
        Path,
        typer.Option("--session", metavar="SESSION", help="Of the running service."),
    ],
) -> None:
    """Give a running service another model, from its next frame on.

    No frame is lost. A model that cannot be used is refused, and the one before stays.
    The session's events name the first frame of the new one.

    Example: atomstream models use models/today --session runs/today
    """
    from atomstream.service.model_wish import ask_and_wait

    folder = find_model(name)
    warn_of_trial(verify_model(folder))
    # The service may have been started elsewhere.
    shipped = name in shipped_models()
    typer.echo(ask_and_wait(session, name if shipped else str(folder.resolve())))


def _latent_number(text: str) -> int:
    """1, 2 … from z1, z2 …, negative with a minus.

    Raises
    ------
    SettingsError
        Of another form.
    """
    match = re.fullmatch(r"(-?)z([1-9]\d?)", text)
    if not match:
        raise SettingsError(
            f"--crystallinity {text}: expected one of the latents, z1 or z2, or -z1 or "
            "-z2 for one that shrinks with order"
        )
    return int(match[1] + match[2])
