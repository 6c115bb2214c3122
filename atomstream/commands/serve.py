"""`atomstream serve`: the service."""

from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.bridges import refuse_bridges
from atomstream.commands.log_options import LogFormatName, LogLevelName, start_log
from atomstream.commands.metrics_options import MetricsAddress, metrics_place_if_any
from atomstream.commands.options import (
    DeviceName,
    EngineName,
    EstimatePixelSize,
    ModelName,
    PixelSize,
    Refine,
    Scheduler,
    Threads,
    check_pixel_size,
    engine_choice,
    warn_of_trial,
)
from atomstream.commands.page_options import (
    PAGE,
    Alerts,
    AllowOrigin,
    PasswordFile,
    TlsCert,
    TlsKey,
    alert_rules,
    page_place_if_any,
)
from atomstream.commands.security import (
    InsecureService,
    Keys,
    Secure,
    ServerKeys,
    binding,
    connecting,
)
from atomstream.commands.settings_option import PREFIX, ServiceSettingsFile
from atomstream.engines import EngineKind
from atomstream.logs import LogFormat, LogLevel
from atomstream.ports import check_publish_address
from atomstream.service.running import run_service
from atomstream.service.settings import ServiceSettings
from inference.catalogue import DEFAULT, find_model, verify_model
from inference.device import Device
from streamer.errors import SettingsError


def serve(
    settings: ServiceSettingsFile = None,
    connect: Annotated[
        list[str] | None,
        typer.Option(
            "--connect",
            metavar="URL",
            help="A source: tcp://HOST:PORT, ipc://PATH or, of a karabo-bridge, "
            "karabo+tcp://HOST:PORT (docs/sources.md); may be given often. Needed.",
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="DIR", help="Session folder. Needed."),
    ] = None,
    publish: Annotated[
        str, typer.Option("--publish", metavar="URL", help="Where analyses are sent.")
    ] = "tcp://127.0.0.1:5557",
    dashboard: Annotated[str | None, PAGE] = None,
    alerts: Alerts = None,
    password_file: PasswordFile = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    allow_origin: AllowOrigin = None,
    metrics: MetricsAddress = None,
    insecure: InsecureService = False,
    model: ModelName = DEFAULT,
    pixel_size: PixelSize = None,
    estimate_pixel_size: EstimatePixelSize = False,
    refine: Refine = True,
    threads: Threads = None,
    device: DeviceName = Device.AUTO,
    engine: EngineName = EngineKind.LOCAL,
    scheduler: Scheduler = None,
    until_end: Annotated[
        bool,
        typer.Option("--until-end", help="Stop when all streams have ended."),
    ] = False,
    server_key: ServerKeys = None,
    secure: Secure = False,
    keys: Keys = None,
    log_format: LogFormatName = LogFormat.TEXT,
    log_level: LogLevelName = LogLevel.INFO,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Only see whether it could be started; ports are not looked at.",
        ),
    ] = False,
) -> None:
    """Receive frames, keep them, find their atoms, and send what was found.

    Every frame is on disk before it is analysed. After a stop or a crash, the same
    command goes on where it was. Ctrl-C stops. SIGHUP has the model's folder read
    again; `models use` gives it another one.

    Examples: atomstream serve --connect tcp://127.0.0.1:5555 --record runs/today
    --dashboard 127.0.0.1:5006 --metrics 9464,
    atomstream serve --connect "karabo+tcp://127.0.0.1:4545?pattern=sub"
    --pixel-size 0.0156 --record runs/today

    Each option may also stand in a file of settings, and in the environment, which
    goes before the file (docs/settings.md).

    Example: atomstream serve --settings atomstream.toml
    """
    logs = start_log("service", log_format, log_level)
    if not connect:
        raise SettingsError(needed("connect", "tcp://127.0.0.1:5555"))
    if record is None:
        raise SettingsError(needed("record", "runs/today"))
    check_pixel_size(pixel_size, estimate_pixel_size)
    if until_end:
        refuse_bridges(connect, "it never says that it has ended; omit --until-end")
    sources = connecting(connect, keys, server_key or [], insecure=insecure)
    analyses = binding(publish, keys, secure=secure, insecure=insecure)
    address, access = page_place_if_any(
        dashboard,
        "--dashboard",
        password_file,
        tls_cert,
        tls_key,
        allow_origin,
        insecure,
        is_free=not check,
    )
    metrics_address = metrics_place_if_any(
        metrics, address, insecure=insecure, is_free=not check
    )
    rules = alert_rules(alerts, settings, has_page=address is not None)
    choice = engine_choice(engine, scheduler, threads, device, refine)
    warn_of_trial(verify_model(find_model(model)))
    if check:
        return
    choice.reach()
    if not record.exists():
        # One that goes on may still be waiting for those of a service that was killed.
        check_publish_address(publish)
    told = ServiceSettings(
        connect=tuple(connect),
        record=record,
        publish=publish,
        model=model,
        engine=choice,
        pixel_size_nm=pixel_size,
        estimate_pixel_size=estimate_pixel_size,
        dashboard=address,
        access=access,
        rules=rules,
        metrics=metrics_address,
        logs=logs,
        until_end=until_end,
        connect_security=sources,
        publish_security=analyses,
    )
    run_service(told, {})


def needed(key: str, example: str) -> str:
    """What is said where something is not given."""
    return (
        f"--{key} is needed: give it, for instance --{key} {example}, or set "
        f"{PREFIX}{key.upper()}, or {key} in a file of --settings"
    )
