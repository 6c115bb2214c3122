"""`atomstream report --retrain`: the session's own networks, before they are shown."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from atomstream.progress import progress_bar
from atomstream.report.folder import check_folder
from atomstream.report.making import Order
from atomstream.report.opening import material_of
from atomstream.report.sections.sub_images import seen_by
from atomstream.training import check_extra, held_stop
from inference.paper_methods.window_size import WINDOWS_NM
from streamer.errors import SessionError
from streamer.session.reader import SessionReader

if TYPE_CHECKING:
    from inference.training.bench import Bench

MINUTE_S = 60


@contextmanager
def retrained_models(order: Order, scale: float) -> Iterator[Path]:
    """Block with the folder of the session's own networks, gone when it ends well.

    It lies beside the report, which gets a copy. Stopped or killed, the same command
    goes on where it was.

    Parameters
    ----------
    scale
        Share of the steps that is done, to try things out.

    Raises
    ------
    SettingsError
        The extra `train` is not installed, or there can be no report.
    SessionError
        There is too little to learn from in the session.
    """
    check_extra("--retrain")
    check_folder(order.out)
    from inference.training.fitting import Stopped
    from inference.training.retrain import Retraining, expected_seconds, retrain
    from inference.training.session_set import SessionSource

    folder = order.out.with_name(f"{order.out.name}-training")
    chosen = order.wish.window.value
    wanted = Retraining(
        source=SessionSource(order.session),
        base=_base(order),
        out=folder,
        windows=tuple(size for size in WINDOWS_NM if chosen in ("both", size)),
        threads=order.threads,
        scale=scale,
    )
    try:
        minutes = expected_seconds(wanted) / MINUTE_S
        told = f"training on {order.session}: about {minutes:.0f} min here"
        typer.echo(told, err=True)
        retrain(wanted, partial(_bench, threads=order.threads, scale=scale))
    except (Stopped, SystemExit) as stop:
        typer.echo("stopped; the same command goes on from there", err=True)
        raise typer.Exit from stop
    yield folder
    shutil.rmtree(folder)


def _base(order: Order) -> str:
    """Folder of the model that saw most of the stream."""
    with SessionReader(order.session) as session:
        material = material_of(session, order.stream, (), order.models, order.threads)
        by = seen_by(material) if material else None
    if by is None:
        raise SessionError(
            f"{order.session}: --retrain needs analysed frames and the model that "
            "analysed them; run atomstream analyze, or name its folder with --model"
        )
    return str(by.folder)


def _bench(folder: Path, threads: int, scale: float) -> "Bench":
    from inference.training.bench import Bench

    return Bench(folder, progress_bar, hold=held_stop, threads=threads, scale=scale)
