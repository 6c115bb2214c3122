"""`atomstream demo`: everything at once, with a simulated microscope."""

import tempfile
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.log_options import (
    LogFormatName,
    LogLevelName,
    start_log,
    teller,
)
from atomstream.commands.options import (
    DeviceName,
    Refine,
    Threads,
    engine_choice,
)
from atomstream.commands.page_options import (
    PAGE,
    Alerts,
    AllowOrigin,
    Insecure,
    PasswordFile,
    TlsCert,
    TlsKey,
    alert_rules,
    page_place_if_any,
)
from atomstream.engines import EngineKind
from atomstream.links import links_in_words
from atomstream.logs import LogFormat, LogLevel
from atomstream.nion.headless import check_installed
from atomstream.ports import free_address
from atomstream.service.running import run_service
from atomstream.service.settings import ServiceSettings
from atomstream.service.tasks import NionScan, Simulation
from inference.catalogue import DEFAULT
from inference.device import Device
from streamer.analysis import FRAME_BUDGET_S


class Source(StrEnum):
    """What stands in for a microscope."""

    SIMULATOR = "simulator"
    NION = "nion"


def demo(
    frames: Annotated[
        int, typer.Option(min=1, max=1000, help="Length of the movie.")
    ] = 50,
    source: Annotated[
        Source,
        typer.Option(
            help="simulator: frames as they are; nion: scanned by Nion Swift's own "
            "code, and sent by the plug-in for it (needs the extra [nion])."
        ),
    ] = Source.SIMULATOR,
    speed: Annotated[
        float, typer.Option(metavar="X", min=0.01, help="Times as fast as real.")
    ] = 15.0,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="DIR", help="Keep the session here."),
    ] = None,
    page: Annotated[str, PAGE] = "127.0.0.1:5006",
    no_dashboard: Annotated[
        bool,
        typer.Option("--no-dashboard", help="No page; stop at the end of the movie."),
    ] = False,
    password_file: PasswordFile = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    allow_origin: AllowOrigin = None,
    insecure: Insecure = False,
    alerts: Alerts = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same movie.")] = 1,
    refine: Refine = True,
    threads: Threads = None,
    device: DeviceName = Device.AUTO,
    log_format: LogFormatName = LogFormat.TEXT,
    log_level: LogLevelName = LogLevel.INFO,
) -> None:
    """Watch a simulated Si-graphene sheet come apart, live, in the browser.

    A simulated microscope sends frames over ZeroMQ; the service keeps and analyses
    them; the page shows what is found. Ctrl-C stops.

    Examples: atomstream demo --speed 30, atomstream demo --source nion
    """
    logs = start_log("service", log_format, log_level)
    tell = teller(logs, "demo")
    if source is Source.NION:
        check_installed()
    address, access = page_place_if_any(
        None if no_dashboard else page,
        "--dashboard",
        password_file,
        tls_cert,
        tls_key,
        allow_origin,
        insecure,
    )
    rules = alert_rules(alerts, has_page=address is not None)
    choice = engine_choice(EngineKind.LOCAL, None, threads, device, refine)
    passing = record is None
    with ExitStack() as stack:
        keeps = record is not None
        if record is None:
            temporary = tempfile.TemporaryDirectory(prefix="atomstream-")
            record = Path(stack.enter_context(temporary)) / "demo"
        images, analyses = free_address(), free_address()
        settings = ServiceSettings(
            connect=(images,),
            record=record,
            publish=analyses,
            model=DEFAULT,
            engine=choice,
            dashboard=address,
            access=access,
            rules=rules,
            passing=passing,
            until_end=no_dashboard,
            logs=logs,
        )
        kind = NionScan if source is Source.NION else Simulation
        microscope = kind(images, frames, FRAME_BUDGET_S / speed, seed)
        if address:
            scheme = "https" if access.certificate else "http"
            links = links_in_words(f"{scheme}://{page}")
            tell(f"the page will be at {links} in a moment")
        if not keeps:
            tell("nothing is kept when it ends: --record DIR keeps the session")
        run_service(settings, {"simulate": microscope})
        if keeps:
            tell(
                f"the session is in {record}: atomstream dashboard {record} shows it, "
                f"atomstream export {record} atoms.csv writes its atoms"
            )
