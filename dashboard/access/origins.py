"""Names by which browsers know this server, as HOST:PORT."""

import contextlib
import ipaddress
import re
import socket
from urllib.parse import urlsplit

from streamer.errors import SettingsError

EVERYWHERE = ("0.0.0.0", "::", "")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
DEFAULT_PORTS = {"http": 80, "https": 443}
HOST_AND_PORT = re.compile(r"([a-z0-9_.-]+|\[[0-9a-f:.]+\]):([0-9]{1,5})")
ELSEWHERE = (
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET6, "2001:db8::1"),
)
"""Addresses that only documentation uses."""


def is_loopback(address: str) -> bool:
    """Whether only this computer can reach `address`."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def in_url(address: str) -> str:
    """`address` as it is written in a URL."""
    return f"[{address}]" if ":" in address else address


def parse_origin(text: str) -> str:
    """HOST:PORT in the form that origins are compared in.

    Raises
    ------
    SettingsError
        Of another form.
    """
    lower = text.lower()
    match = HOST_AND_PORT.fullmatch(lower)
    if match is None or not 0 < int(match[2]) < 65536:
        raise SettingsError(
            f"--allow-origin {text}: expected HOST:PORT as a browser's address bar "
            "shows it, for instance lab-pc.example.org:5006, with port 443 for "
            "https://HOST"
        )
    return lower


def origin_of(header: str) -> str | None:
    """HOST:PORT in a request's Origin; None if it has none."""
    try:
        parts = urlsplit(header.lower())
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return f"{in_url(parts.hostname)}:{port}" if parts.hostname and port else None


def own_origins(address: str, port: int) -> set[str]:
    """What a browser may call a server that listens at `address`."""
    hosts = {in_url(address).lower()}
    if address in EVERYWHERE:
        hosts = {*LOOPBACK, *names_of_this_computer()}
    elif is_loopback(address):
        hosts |= set(LOOPBACK)
    return {f"{host}:{port}" for host in hosts}


def names_of_this_computer() -> set[str]:
    """Names and addresses that other computers may know it by."""
    name = socket.gethostname()
    names = {name, socket.getfqdn(name)}
    with contextlib.suppress(OSError):
        names |= set(socket.gethostbyname_ex(name)[2])
    for family, elsewhere in ELSEWHERE:
        with (
            contextlib.suppress(OSError),
            socket.socket(family, socket.SOCK_DGRAM) as s,
        ):
            s.connect((elsewhere, 9))  # sends nothing; chooses a way out
            names.add(in_url(s.getsockname()[0]))
    return {each.lower() for each in names}
