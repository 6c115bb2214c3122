"""`atomstream replay`: a recorded stack as a live stream."""

from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.log_options import (
    LogFormatName,
    LogLevelName,
    start_log,
    teller,
)
from atomstream.commands.options import Channel, PixelSize, check_pixel_size
from atomstream.commands.security import Insecure, Keys, Secure, binding
from atomstream.logs import LogFormat, LogLevel
from streamer.analysis import FRAME_BUDGET_S


def replay(
    stack: Annotated[
        Path,
        typer.Argument(
            metavar="STACK", help=".tif, .npy, .npz, .ndata, .h5, .nhdf or a session."
        ),
    ],
    bind: Annotated[
        str, typer.Option("--bind", metavar="URL", help="Where to publish.")
    ] = "tcp://127.0.0.1:5555",
    period: Annotated[
        float | None,
        typer.Option(
            metavar="S", min=0, help="Seconds from frame to frame; default 33.5."
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(metavar="X", min=0.001, help="Divides the period.")
    ] = 1.0,
    loop: Annotated[
        bool, typer.Option("--loop", help="Begin again at the end, as a new stream.")
    ] = False,
    pixel_size: PixelSize = None,
    channel: Channel = None,
    linger: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            min=0,
            help="Seconds to stay after the last frame for those who are behind; "
            "by default until everybody has everything.",
        ),
    ] = None,
    secure: Secure = False,
    insecure: Insecure = False,
    keys: Keys = None,
    log_format: LogFormatName = LogFormat.TEXT,
    log_level: LogLevelName = LogLevel.INFO,
) -> None:
    """Publish a recorded stack as if the microscope were making it now.

    All frames stay available: who connects late still gets every one.

    Example: atomstream replay movie.tif --period 2
    """
    logs = start_log("replay", log_format, log_level)
    check_pixel_size(pixel_size)
    from atomstream.replaying import Replay

    interval_s = (FRAME_BUDGET_S if period is None else period) / speed
    security = binding(bind, keys, secure=secure, insecure=insecure)
    Replay(stack, channel, pixel_size, bind, security, interval_s, loop, linger).run(
        teller(logs, "replay")
    )
