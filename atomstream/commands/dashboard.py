"""`atomstream dashboard`: the page, for a recorded session or a running service."""

import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.options import host_and_port
from atomstream.commands.page_options import (
    AllowOrigin,
    PasswordFile,
    TlsCert,
    TlsKey,
    page_access,
)
from atomstream.commands.security import (
    InsecureAll,
    Keys,
    ServerKeys,
    connecting,
)
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
        str,
        typer.Option(
            "--address",
            "--dashboard",
            metavar="HOST:PORT",
            help="Where the page is served.",
        ),
    ] = "127.0.0.1:5006",
    password_file: PasswordFile = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    allow_origin: AllowOrigin = None,
    server_key: ServerKeys = None,
    keys: Keys = None,
    insecure: InsecureAll = False,
) -> None:
    """Show a recorded session, or what a running service publishes.

    What viewers write about frames is kept in SESSION/notes.jsonl; without a session,
    until the dashboard stops.

    Other computers are let in with a password only (docs/dashboard-access.md).

    Examples: atomstream dashboard runs/today,
    atomstream dashboard --connect tcp://127.0.0.1:5557,
    atomstream dashboard runs/today --address 0.0.0.0:5006 --password-file page.password
    """
    if (session is None) == (not connect):
        raise SettingsError("give either a SESSION or --connect URL")
    from dashboard.feed import LiveFeed, SessionFeed
    from dashboard.hub import Hub
    from dashboard.notebook import Notebook, NotesFollowed
    from dashboard.server import Dashboard

    host, port = at = host_and_port(address, "--address")
    access = page_access(at, password_file, tls_cert, tls_key, allow_origin, insecure)
    origin = str(session) if session else ", ".join(connect or [])
    hub = Hub(origin, time.monotonic, notebook=Notebook(session))
    urls = connect or []
    security = connecting(urls, keys, server_key or [], insecure=insecure)
    feed = SessionFeed(hub, session) if session else LiveFeed(hub, urls, security)
    with (
        feed,
        NotesFollowed(hub),
        Dashboard(hub, host, port, access=access) as page,
    ):
        typer.echo(f"open {page.url} (Ctrl-C to stop)")
        threading.Event().wait()
