"""`atomstream doctor`: whether this machine can do the work, and what is wrong."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from atomstream.commands.options import (
    DeviceName,
    ModelName,
    Threads,
    threads_or_default,
)
from atomstream.commands.security import Insecure, Keys, ServerKey, connecting
from atomstream.engines import check_device
from inference.catalogue import DEFAULT
from inference.device import Device


def doctor(
    record: Annotated[
        Path,
        typer.Option("--record", metavar="DIR", help="Where sessions would be kept."),
    ] = Path(),
    connect: Annotated[
        str | None,
        typer.Option("--connect", metavar="URL", help="A source that should be heard."),
    ] = None,
    model: ModelName = DEFAULT,
    threads: Threads = None,
    device: DeviceName = Device.AUTO,
    server_key: ServerKey = None,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """Check this machine: model, speed against the frame time, disk, ports, source.

    Exits with 1 when something would keep a service from working.

    Example: atomstream doctor --record runs --connect tcp://127.0.0.1:5555
    """
    from atomstream.checkup import Networks, Verdict, examine

    check_device(device)
    urls, named = [connect] if connect else [], [server_key] if server_key else []
    sources = connecting(urls, keys, named, insecure=insecure)
    networks = Networks(model, threads_or_default(threads), device)
    findings = examine(networks, record, sources)
    table = Table("", "what", "found")
    marks = {
        Verdict.GOOD: "[green]ok",
        Verdict.POOR: "[yellow]!",
        Verdict.BAD: "[red]x",
    }
    for finding in findings:
        table.add_row(marks[finding.verdict], finding.what, finding.found)
    Console().print(table)
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise typer.Exit(1)
