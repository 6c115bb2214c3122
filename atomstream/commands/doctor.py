"""`atomstream doctor`: whether this machine can do the work, and what is wrong."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from atomstream.commands.bridges import refuse_bridges
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

if TYPE_CHECKING:
    from atomstream.checkup import Finding

FROM_NION = "tcp://127.0.0.1:5555"
"""Where the plug-in sends, unless told otherwise."""


def doctor(
    record: Annotated[
        Path,
        typer.Option("--record", metavar="DIR", help="Where sessions would be kept."),
    ] = Path(),
    connect: Annotated[
        str | None,
        typer.Option("--connect", metavar="URL", help="A source that should be heard."),
    ] = None,
    nion: Annotated[
        bool,
        typer.Option(
            "--nion", help="Only why nothing comes from the plug-in in Nion Swift."
        ),
    ] = False,
    model: ModelName = DEFAULT,
    threads: Threads = None,
    device: DeviceName = Device.AUTO,
    server_key: ServerKey = None,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """Check this machine: model, speed against the frame time, disk, ports, source.

    Exits with 1 when something would keep a service from working.

    Examples: atomstream doctor --record runs --connect tcp://127.0.0.1:5555,
    atomstream doctor --nion
    """
    from atomstream.checkup import Networks, examine

    check_device(device)
    if nion:
        connect = connect or FROM_NION
        refuse_bridges([connect], "Nion Swift's plug-in is none; omit --nion")
    urls, named = [connect] if connect else [], [server_key] if server_key else []
    sources = connecting(urls, keys, named, insecure=insecure)
    if nion:
        from atomstream.nion.checkup import examine_nion

        show([finding for item in sources.items() for finding in examine_nion(*item)])
    else:
        networks = Networks(model, threads_or_default(threads), device)
        show(examine(networks, record, sources))


def show(findings: "list[Finding]") -> None:
    """Print findings; exit with 1 when one is bad."""
    from atomstream.checkup import Verdict

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
