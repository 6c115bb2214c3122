"""`atomstream dashboard`: the page, for a recorded session or a running service."""

import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.options import host_and_port
from atomstream.commands.security import Insecure, Keys, ServerKeys, connecting
from streamer.errors import SettingsError


def dashboard(
    session: Annotated[
        Path | None, typer.Argument(metavar="SESSION", help="A session folder.")
    ] = None,
    connect: Annotated[
        list[str] | None,
        typer.Option("--connect", metavar="URL", help="Where a service publishes."),
    ] = None,
    address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the page is served.")
    ] = "127.0.0.1:5006",
    server_key: ServerKeys = None,
    keys: Keys = None,
    insecure: Insecure = False,
) -> None:
    """Show a recorded session, or what a running service publishes.

    Examples: atomstream dashboard runs/today,
    atomstream dashboard --connect tcp://127.0.0.1:5557
    """
    if (session is None) == (not connect):
        raise SettingsError("give either a SESSION or --connect URL")
    from dashboard.feed import LiveFeed, SessionFeed
    from dashboard.hub import Hub
    from dashboard.server import Dashboard

    host, port = host_and_port(address, "--address")
    origin = str(session) if session else ", ".join(connect or [])
    hub = Hub(origin, time.monotonic)
    urls = connect or []
    security = connecting(urls, keys, server_key or [], insecure=insecure)
    feed = SessionFeed(hub, session) if session else LiveFeed(hub, urls, security)
    with feed, Dashboard(hub, host, port) as page:
        typer.echo(f"open {page.url} (Ctrl-C to stop)")
        threading.Event().wait()
