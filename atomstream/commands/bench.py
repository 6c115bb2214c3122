"""`atomstream bench`: how fast it is on this machine."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.options import (
    DeviceName,
    ModelName,
    Threads,
    threads_or_default,
)
from atomstream.engines import check_device
from inference.catalogue import DEFAULT
from inference.device import Device
from streamer.errors import SettingsError

app = typer.Typer(no_args_is_help=True, help="Measure how fast this machine does it.")

SMALLEST_PX, LARGEST_PX = 64, 4096


class Peer(StrEnum):
    """Other people's software that can be measured beside ours."""

    ATOMAI = "atomai"


class StreamPeer(StrEnum):
    """Other people's software that receives frames."""

    KARABO_BRIDGE = "karabo-bridge"


Sizes = Annotated[
    str,
    typer.Option("--sizes", metavar="PX,…", help="Rows and columns of the frames."),
]
PEER = typer.Option(
    "--peer", help="Run this on the same frames, in an environment made for it."
)
PeerEnv = Annotated[
    Path | None,
    typer.Option(
        "--peer-env",
        metavar="DIR",
        help="That environment; in the user's cache if left out.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE.json", help="Write every figure here."),
]


@app.callback()
def bench() -> None:
    """Measure how fast this machine does it."""


@app.command()
def inference(
    model: ModelName = DEFAULT,
    sizes: Sizes = "512,1024,2048,4096",
    repeats: Annotated[
        int,
        typer.Option(
            min=1, max=1000, help="Of frames up to 1024 pixels; larger ones fewer."
        ),
    ] = 20,
    threads: Threads = None,
    device: DeviceName = Device.AUTO,
    peer: Annotated[Peer | None, PEER] = None,
    peer_env: PeerEnv = None,
    out: Out = None,
) -> None:
    """Measure the analysis, from a frame's bytes to its atoms table, part by part.

    Frames are simulated at the paper's pixel size: 1024 pixels are 16 nm and 9,500
    atoms. What it should reach is meant for two threads. The peer's network is trained
    first, once, as far as it takes to find them.

    Example: atomstream bench inference --sizes 512,1024 --out speed.json
    """
    chosen = sizes_of(sizes)
    check_peer(peer_env, peer, Peer.ATOMAI)
    check_out(out)
    check_device(device)
    from atomstream.bench.inference import Plan
    from atomstream.bench.running import run_inference

    plan = Plan(model, chosen, repeats, threads_or_default(threads), device)
    run_inference(plan, peer is Peer.ATOMAI, peer_env, out)


@app.command()
def stream(
    sizes: Sizes = "1024,2048",
    runs: Annotated[
        int, typer.Option(min=1, max=100, help="Of each receiver, in turn.")
    ] = 5,
    frames: Annotated[
        int,
        typer.Option(
            min=10, max=100_000, help="Of 1024 pixels in each run; larger ones fewer."
        ),
    ] = 100,
    peer: Annotated[StreamPeer | None, PEER] = None,
    peer_env: PeerEnv = None,
    disk: Annotated[
        Path | None,
        typer.Option(
            "--disk",
            metavar="DIR",
            help="Folder on the disk that frames are committed to; the one for "
            "temporary files if left out.",
        ),
    ] = None,
    out: Out = None,
) -> None:
    """Measure receiving: CPU time and latency beside a bare pyzmq loop, and the disk.

    Frames of random float32 travel within this machine, over tcp, ipc and
    encrypted (curve: tcp with keys made for it), at 84 MB/s.
    "checked" is the bare loop that also compares checksums.

    Example: atomstream bench stream --peer karabo-bridge --out stream.json
    """
    chosen = sizes_of(sizes)
    check_peer(peer_env, peer, StreamPeer.KARABO_BRIDGE)
    if disk and not disk.is_dir():
        raise SettingsError(f"--disk {disk} is not a folder; make it first")
    check_out(out)
    from atomstream.bench.stream.measure import Plan
    from atomstream.bench.stream.running import run_stream

    run_stream(Plan(chosen, runs, frames, disk), peer is not None, peer_env, out)


@app.command()
def dashboard(
    size: Annotated[
        int,
        typer.Option(
            "--size",
            metavar="PX",
            min=SMALLEST_PX,
            max=LARGEST_PX,
            help="Rows and columns of the frames.",
        ),
    ] = 1024,
    frames: Annotated[
        int,
        typer.Option(min=10, max=900, help="Looked at by the browser, one a second."),
    ] = 60,
    endure: Annotated[
        int,
        typer.Option(
            min=10, max=10**6, help="Frames after which memory is looked at again."
        ),
    ] = 5000,
    loads: Annotated[
        int, typer.Option(min=1, max=10**5, help="Pages opened and closed.")
    ] = 200,
    viewers: Annotated[
        int, typer.Option(min=1, max=100, help="Of a service that is at work.")
    ] = 10,
    out: Out = None,
) -> None:
    """Measure the live page: until it is painted, bytes, CPU and memory of its server.

    Analyses of simulated frames are published as a service would. A real Chromium,
    without a window, is used where there is one; the other viewers take all that a
    browser takes and draw nothing.

    Example: atomstream bench dashboard --out page.json
    """
    check_out(out)
    from atomstream.bench.page.measure import Plan
    from atomstream.bench.page.running import run_page

    run_page(Plan(size, frames, endure, loads, viewers), out)


@app.command()
def observing(
    size: Annotated[
        int,
        typer.Option(
            "--size",
            metavar="PX",
            min=SMALLEST_PX,
            max=LARGEST_PX,
            help="Rows and columns of the frames.",
        ),
    ] = 1024,
    frames: Annotated[
        int, typer.Option(min=5, max=10**4, help="That count, one each 0.67 s.")
    ] = 60,
    out: Out = None,
) -> None:
    """Measure what metrics and logs cost, at fifty times the microscope's rate.

    A real service analyses simulated frames, not refined, so that it takes least
    itself; its metrics are asked for each 10 s, its log is JSON. CPU times are those
    of its processes (Linux only).

    Example: atomstream bench observing --out observing.json
    """
    check_out(out)
    from atomstream.bench.observing.measure import Plan
    from atomstream.bench.observing.running import run_observing

    run_observing(Plan(size, frames), out)


def check_peer(environment: Path | None, peer: StrEnum | None, known: StrEnum) -> None:
    """Refuse an environment for nobody.

    Raises
    ------
    SettingsError
        No peer is to run in it.
    """
    if environment and not peer:
        raise SettingsError(f"--peer-env is of no use without --peer {known}")


def check_out(out: Path | None) -> None:
    """Refuse a file that cannot be written, before minutes have passed.

    Raises
    ------
    SettingsError
        Its folder is not there, or it is itself one.
    """
    if out and not out.absolute().parent.is_dir():
        raise SettingsError(f"--out {out}: {out.parent} is not a folder; make it first")
    if out and out.is_dir():
        raise SettingsError(f"--out {out} is a folder; expected a file to write")


def sizes_of(text: str) -> tuple[int, ...]:
    """Sides of frames in pixels, each once and in order, from numbers and commas.

    Raises
    ------
    SettingsError
        Of another form, or a side that is too short or too long.
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise SettingsError(f"--sizes {text}: expected pixels, for instance 512,1024")
    sizes = sorted({int(word) for word in words})
    if sizes[0] < SMALLEST_PX or sizes[-1] > LARGEST_PX:
        raise SettingsError(
            f"--sizes {text}: expected {SMALLEST_PX} to {LARGEST_PX} pixels"
        )
    return tuple(sizes)
