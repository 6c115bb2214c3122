"""Options of every command that serves the page: who may open it, and how."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from atomstream.commands.options import host_and_port
from atomstream.ports import check_page_address
from atomstream.settings_file import RULES, SettingsFile
from dashboard.access.certificate import Certificate
from dashboard.access.origins import parse_origin
from dashboard.access.password import read_password
from dashboard.access.terms import Access
from dashboard.alert_rules import AlertRules, read_rules
from streamer.errors import SettingsError

PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Whose only line the page asks for. Needed where other computers can "
        "reach it.",
    ),
]
TlsCert = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert", metavar="FILE", help="Certificate (PEM) to encrypt the page with."
    ),
]
TlsKey = Annotated[
    Path | None,
    typer.Option("--tls-key", metavar="FILE", help="Its key (PEM, no passphrase)."),
]
AllowOrigin = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-origin",
        metavar="HOST:PORT",
        help="Another name of the page in browsers, as behind a proxy; may be given "
        "often.",
    ),
]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", help="Let other computers in without any protection."),
]

PAGE = typer.Option("--dashboard", metavar="HOST:PORT", help="Serve the page here.")

Alerts = Annotated[
    Path | None,
    typer.Option(
        "--alerts",
        metavar="FILE.toml",
        help="Rules of what the page alerts of, beside frames that are late or gone, "
        "a session that is not recorded and a disk that fills up; each key is in "
        "docs/dashboard.md.",
    ),
]

log = logging.getLogger("dashboard")


def page_place(
    page: str,
    option: str,
    password_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    allow_origin: list[str] | None,
    insecure: bool,
    *,
    is_free: bool = True,
) -> tuple[tuple[str, int], Access]:
    """Address and port of the page, and who may open it.

    Parameters
    ----------
    page
        HOST:PORT.
    option
        What it was given by.
    is_free
        Whether nothing else may be served there now.

    Raises
    ------
    SettingsError
        As for `page_access`, or HOST:PORT is of another form.
    LinkError
        No page can be served there.
    """
    address = host_and_port(page, option)
    access = page_access(
        address, password_file, tls_cert, tls_key, allow_origin, insecure
    )
    if is_free:
        check_page_address(*address, option)
    return address, access


def page_place_if_any(
    page: str | None,
    option: str,
    password_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    allow_origin: list[str] | None,
    insecure: bool,
    *,
    is_free: bool = True,
) -> tuple[tuple[str, int] | None, Access]:
    """As `page_place`; without a page, nothing may be said about it."""
    if page is None:
        refuse_without_page(password_file, tls_cert, tls_key, allow_origin)
        return None, Access()
    return page_place(
        page,
        option,
        password_file,
        tls_cert,
        tls_key,
        allow_origin,
        insecure,
        is_free=is_free,
    )


def page_access(
    address: tuple[str, int],
    password_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    allow_origin: list[str] | None,
    insecure: bool,
) -> Access:
    """Who may open the page at `address`, checked; says what is doubtful about it.

    Raises
    ------
    SettingsError
        The options contradict each other, a file cannot be used, or the page would be
        open to everybody.
    """
    access = Access(
        password=read_password(password_file) if password_file else None,
        certificate=certificate(tls_cert, tls_key),
        origins=tuple(parse_origin(each) for each in allow_origin or ()),
        insecure=insecure,
    )
    access.check(address[0])
    warning = access.warning(address[0])
    if warning:
        log.warning("%s", warning)
    return access


def alert_rules(
    path: Path | None, settings: SettingsFile | None = None, *, has_page: bool = True
) -> AlertRules:
    """The rules of what the page alerts of: of their own file, or of the settings.

    Raises
    ------
    SettingsError
        The file cannot be used, or there is no page.
    """
    told = settings.alerts if settings else None
    if not has_page and (path or (told and told.model_fields_set)):
        given = "--alerts" if path else f"[{RULES}]"
        raise SettingsError(
            f"{given} is about the page; give --dashboard HOST:PORT too"
        )
    return read_rules(path) if path else told or AlertRules()


def refuse_without_page(*options: object) -> None:
    """Refuse options that protect nothing.

    Raises
    ------
    SettingsError
        Any was given.
    """
    if any(options):
        raise SettingsError(
            "--password-file, --tls-cert, --tls-key and --allow-origin are about the "
            "page; give --dashboard HOST:PORT too"
        )


def certificate(chain: Path | None, key: Path | None) -> Certificate | None:
    """The certificate that the options name; None if they name none.

    Raises
    ------
    SettingsError
        Only one of the two was given.
    """
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        raise SettingsError("--tls-cert and --tls-key go together; give both")
    return Certificate(chain.absolute(), key.absolute())
