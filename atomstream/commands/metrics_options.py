"""The option that says where metrics are served."""

import logging
from typing import Annotated

import typer

from atomstream.commands.options import host_and_port
from atomstream.ports import check_page_address
from streamer.endpoint import Address
from streamer.errors import SettingsError

OPTION = "--metrics"
HERE = "127.0.0.1"

MetricsAddress = Annotated[
    str | None,
    typer.Option(
        OPTION,
        metavar="[HOST:]PORT",
        help="Serve metrics for Prometheus here, at /metrics; without HOST for this "
        "computer alone. Each is in docs/metrics.md.",
    ),
]

log = logging.getLogger("metrics")


def metrics_place_if_any(
    place: str | None,
    page: tuple[str, int] | None,
    *,
    insecure: bool,
    is_free: bool = True,
) -> tuple[str, int] | None:
    """Address and port of the metrics; None if there are none.

    Parameters
    ----------
    place
        PORT, :PORT or HOST:PORT; None for no metrics.
    page
        Where the page is to be.
    insecure
        Let other computers in.
    is_free
        Whether nothing else may be served there now.

    Raises
    ------
    SettingsError
        It is of another form, the page's own, or would be open to everybody.
    LinkError
        Nothing can be served there.
    """
    if place is None:
        return None
    port = place.removeprefix(":")
    address = host_and_port(f"{HERE}:{port}" if port.isdigit() else place, OPTION)
    check_who_reads(address, insecure=insecure)
    if address == page and page[1] != 0:
        raise SettingsError(
            f"{OPTION} {place} is where the page is to be; give it another port"
        )
    if is_free:
        check_page_address(*address, OPTION)
    return address


def check_who_reads(address: tuple[str, int], *, insecure: bool) -> None:
    """Refuse to open to everybody by mistake.

    Raises
    ------
    SettingsError
        Other computers can reach `address`.
    """
    host, port = address
    if Address(host, port).is_local:
        return
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not insecure:
        raise SettingsError(
            f"the metrics at {shown} could be read by everybody in the network: give "
            f"{OPTION} {HERE}:{port}, or --insecure if they all may"
        )
    log.warning("everybody who can reach %s can read the metrics", shown)
