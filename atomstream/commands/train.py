"""`atomstream train`: models from simulation, or from a recorded session."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atomstream.commands.train_options import (
    Base,
    Device,
    Kind,
    Measure,
    On,
    Out,
    Restart,
    Scale,
    Seed,
    Steps,
    Threads,
    Window,
    WindowOf,
)
from atomstream.progress import progress_bar
from atomstream.training import check_extra, held_stop
from inference.catalogue import DEFAULT
from streamer.errors import SettingsError

if TYPE_CHECKING:
    from inference.training.bench import Bench
    from inference.training.calibrate import CalibrationRecipe
    from inference.training.fit_dcnn import DcnnRecipe
    from inference.training.wish import EncoderWish

app = typer.Typer(
    no_args_is_help=True,
    help="Train models. Needs: uv sync --extra train",
    epilog="Start with: atomstream train all --scale 0.001 --out models/trial",
)


@app.command("all")
def make_all(
    out: Out,
    seed: Seed = 1,
    steps: Steps = None,
    scale: Scale = 1.0,
    kind: Kind = "default",
    window: WindowOf = None,
    threads: Threads = 2,
    device: On = Device.AUTO,
    measure: Measure = True,
    restart: Restart = False,
) -> None:
    """Make a model from nothing: simulate, train both networks, measure.

    Killed or stopped, the same command goes on where it was.

    Example: atomstream train all --out models/graphene-si
    """
    check_extra()
    from inference.training.make import train_all

    bench = _bench(out, threads, device, measure, restart, scale)
    with _resumable():
        train_all(
            _dcnn_recipe(seed, steps, scale, threads),
            _wish(kind, seed, steps, window, scale),
            _calibration(seed, scale),
            bench,
        )
    _tell_of(out)


@app.command("dcnn")
def make_dcnn(
    out: Out,
    seed: Seed = 1,
    steps: Steps = None,
    scale: Scale = 1.0,
    base: Base = DEFAULT,
    threads: Threads = 2,
    device: On = Device.AUTO,
    measure: Measure = True,
    restart: Restart = False,
) -> None:
    """Train the network that sees atoms; the encoder is that of --base.

    Killed or stopped, the same command goes on where it was.

    Example: atomstream train dcnn --out models/mine --seed 2
    """
    check_extra()
    from inference.training.base_model import BaseModel
    from inference.training.make import train_dcnn

    recipe = _dcnn_recipe(seed, steps, scale, threads)
    bench = _bench(out, threads, device, measure, restart, scale)
    with _resumable():
        loaded = BaseModel.load(base, out, threads)
        train_dcnn(recipe, _calibration(seed, scale), loaded, bench)
    _tell_of(out)


@app.command("rvae")
def make_encoder(
    out: Out,
    session: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="SESSION",
            help="Learn from a recorded session instead of simulated movies.",
        ),
    ] = None,
    fraction: Annotated[
        float,
        typer.Option(
            min=0.001, max=1, help="Share of each frame's sub-images, with --from."
        ),
    ] = 0.25,
    seed: Seed = 1,
    steps: Steps = None,
    scale: Scale = 1.0,
    kind: Kind = "default",
    window: WindowOf = None,
    base: Base = DEFAULT,
    threads: Threads = 2,
    device: On = Device.AUTO,
    measure: Measure = True,
    restart: Restart = False,
) -> None:
    """Train the network that sees order; the one that sees atoms is that of --base.

    With --from it learns from a session's own sub-images, without any truth, as the
    paper's did. Killed or stopped, the same command goes on where it was.

    Example: atomstream train rvae --from runs/today --out models/today
    """
    check_extra()
    from inference.training.base_model import BaseModel
    from inference.training.make import train_encoder
    from inference.training.make_from_session import train_encoder_on_session
    from inference.training.session_set import SessionSource

    wish = _wish(kind, seed, steps, window, scale)
    bench = _bench(out, threads, device, measure, restart, scale)
    with _resumable():
        loaded = BaseModel.load(base, out, threads)
        if session is None:
            train_encoder(wish, loaded, bench)
        else:
            source = SessionSource(session, fraction, seed)
            train_encoder_on_session(wish, source, loaded, bench)
    _tell_of(out)


@app.command("compare")
def compare(
    model: Annotated[
        str, typer.Argument(metavar="NAME|DIR", help="A shipped model, or a folder.")
    ] = DEFAULT,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.json", help="Write every figure here."),
    ] = None,
    seed: Seed = 1,
    steps: Steps = None,
    threads: Threads = 2,
) -> None:
    """Compare a model with the paper's methods, fitted to the same sub-images.

    Its Fig. 5: both losses of the rVAE, convolutional AE, plain VAE, Gaussian
    mixture, PCA, and order parameters of the positions, in windows of 0.5 and 1 nm.

    Example: atomstream train compare --out compared.json
    """
    check_extra()
    import torch
    from rich.console import Console

    from atomstream.measuring import write_figures
    from inference.training.compare import compare_methods, comparison_recipe

    torch.set_num_threads(threads)
    compared = compare_methods(model, comparison_recipe(seed, steps), progress_bar)
    if out:
        write_figures(compared.to_json(), out)
        typer.echo(f"all figures in {out}")
    Console().print(compared.table())


@app.command("paper-methods")
def make_paper_methods(
    out: Out,
    seed: Seed = 1,
    steps: Steps = None,
    scale: Scale = 1.0,
    base: Base = DEFAULT,
    threads: Threads = 2,
    restart: Restart = False,
) -> None:
    """Train what a report compares: convolutional AE, plain VAE, rVAE of large windows.

    On one simulated movie that lies as that of graphene-si-paper, which is the rVAE of
    small windows. Killed or stopped, the same command goes on where it was.

    Example: atomstream train paper-methods --out models/paper-methods
    """
    check_extra()
    from inference.training.base_model import BaseModel
    from inference.training.methods.make import train_on_simulation
    from inference.training.methods.recipe import methods_recipe

    recipe = methods_recipe(seed, steps).scaled(scale)
    bench = _bench(out, threads, Device.CPU, False, restart, scale)
    with _resumable():
        train_on_simulation(recipe, BaseModel.load(base, out, threads), bench)
    typer.echo(f"the networks are in {out}")


def _tell_of(out: Path) -> None:
    """Where the model is, and what must not be expected of it."""
    from inference.card import read_card

    typer.echo(f"the model is in {out}")
    for limit in read_card(out).limits:
        typer.echo(f"  {limit}")


@contextmanager
def _resumable() -> Iterator[None]:
    """Block that says, when it is left early, that nothing is lost."""
    from inference.training.fitting import Stopped

    try:
        yield
    except (Stopped, SystemExit) as stop:
        typer.echo("stopped; the same command goes on from there")
        raise typer.Exit from stop


def _dcnn_recipe(
    seed: int, steps: int | None, scale: float, threads: int
) -> "DcnnRecipe":
    from inference.training.fit_dcnn import DcnnRecipe
    from inference.training.scaled import scaled

    recipe = scaled(DcnnRecipe(seed=seed, workers=threads), scale)
    return replace(recipe, steps=steps or recipe.steps)


def _calibration(seed: int, scale: float) -> "CalibrationRecipe":
    from inference.training.calibrate import CalibrationRecipe
    from inference.training.scaled import scaled

    return scaled(CalibrationRecipe(seed=seed), scale)


def _wish(
    kind: str, seed: int, steps: int | None, window: Window | None, scale: float
) -> "EncoderWish":
    from inference.training.kinds import KINDS
    from inference.training.scaled import scaled
    from inference.training.wish import EncoderWish

    if kind not in KINDS:
        raise SettingsError(f"--kind {kind}: expected one of {', '.join(KINDS)}")
    recipe = scaled(replace(KINDS[kind].recipe, seed=seed), scale)
    if window:
        if not hasattr(recipe, "window"):
            raise SettingsError(f"--window: --kind {kind} has none; leave it out")
        recipe = replace(recipe, window=window.value)
    return EncoderWish(kind, replace(recipe, steps=steps or recipe.steps))


def _bench(
    out: Path,
    threads: int,
    device: Device,
    measure: bool,
    restart: bool,
    scale: float,
) -> "Bench":
    from inference.training.bench import Bench
    from inference.training.device import device_for
    from inference.training.make import measured

    chosen = device_for(device.value)
    if device is Device.AUTO and chosen == "cpu":
        typer.echo("no CUDA device here: training on the CPU")
    return Bench(
        folder=out,
        stage=progress_bar,
        measure=measured if measure else None,
        hold=held_stop,
        device=chosen,
        threads=threads,
        restart=restart,
        scale=scale,
    )
