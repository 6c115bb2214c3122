"""`atomstream dashboard`: the page, for a recorded session or a running service."""

import contextlib
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.bridges import refuse_bridges
from atomstream.commands.log_options import (
    LogFormatName,
    LogLevelName,
    start_log,
    teller,
)
from atomstream.commands.page_options import (
    Alerts,
    AllowOrigin,
    PasswordFile,
    TlsCert,
    TlsKey,
    alert_rules,
    page_place,
)
from atomstream.commands.security import (
    InsecureAll,
    Keys,
    ServerKeys,
    connecting,
)
from atomstream.commands.settings_option import PageSettingsFile
from atomstream.links import links_in_words
from atomstream.logs import LogFormat, LogLevel
from streamer.errors import SettingsError


def dashboard(
    settings: PageSettingsFile = None,
    session: Annotated[
        Path | None, typer.Argument(metavar="SESSION", help="A session folder.")
    ] = None,
    connect: Annotated[
        list[str] | None,
        typer.Option("--connect", metavar="URL", help="Where a service publishes."),
    ] = None,
    recorded: Annotated[
        Path | None,
        typer.Option(
            "--session",
            metavar="DIR",
            help="Where the service of --connect records, if that is on this "
            "computer: older frames come from there.",
        ),
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
    alerts: Alerts = None,
    password_file: PasswordFile = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    allow_origin: AllowOrigin = None,
    server_key: ServerKeys = None,
    keys: Keys = None,
    insecure: InsecureAll = False,
    log_format: LogFormatName = LogFormat.TEXT,
    log_level: LogLevelName = LogLevel.INFO,
) -> None:
    """Show a recorded session, or what a running service publishes.

    What viewers write about frames is kept in SESSION/notes.jsonl; without a session,
    until the dashboard stops.

    Other computers are let in with a password only (docs/dashboard-access.md).

    Examples: atomstream dashboard runs/today,
    atomstream dashboard --connect tcp://127.0.0.1:5557 --session runs/today,
    atomstream dashboard runs/today --alerts rules.toml,
    atomstream dashboard runs/today --settings atomstream.toml,
    atomstream dashboard runs/today --address 0.0.0.0:5006 --password-file page.password
    """
    logs = start_log("dashboard", log_format, log_level)
    if (session is None) == (not connect):
        raise SettingsError("give either a SESSION or --connect URL")
    refuse_bridges(
        connect or [],
        "it has no analyses; `serve --connect` it, and connect to what that publishes",
    )
    if session and recorded:
        raise SettingsError("--session goes with --connect; SESSION is there already")
    from atomstream.manifold import manifold_drawer
    from atomstream.service.kept_models import kept_models
    from dashboard.archive import Archive
    from dashboard.hub import Hub
    from dashboard.live_feed import LiveFeed
    from dashboard.notebook import Notebook, NotesFollowed
    from dashboard.recall import Recall
    from dashboard.server import Dashboard
    from dashboard.session_feed import SessionFeed

    (host, port), access = page_place(
        address, "--address", password_file, tls_cert, tls_key, allow_origin, insecure
    )
    origin = str(session) if session else ", ".join(connect or [])
    folder = session or recorded
    draw = manifold_drawer(lambda: kept_models(folder) if folder else [])
    hub = Hub(
        origin,
        time.monotonic,
        draw_manifold=draw,
        rules=alert_rules(alerts, settings),
        notebook=Notebook(folder),
    )
    urls = connect or []
    security = connecting(urls, keys, server_key or [], insecure=insecure)
    feed = SessionFeed(hub, session) if session else LiveFeed(hub, urls, security)
    with contextlib.ExitStack() as running:
        running.enter_context(feed)
        running.enter_context(NotesFollowed(hub))
        archive = None
        if recorded:
            running.enter_context(Recall(hub, recorded))
        if folder:
            archive = running.enter_context(Archive(folder))
        page = running.enter_context(
            Dashboard(hub, host, port, access=access, archive=archive)
        )
        tell = teller(logs, "dashboard")
        tell(f"open {links_in_words(page.url)} (Ctrl-C to stop)")
        threading.Event().wait()
