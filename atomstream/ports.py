"""Addresses of this computer: which are free, and which are taken."""

import errno
import socket

from streamer.errors import LinkError


def check_page_address(host: str, port: int) -> None:
    """Refuse an address at which no page could be served.

    Raises
    ------
    LinkError
        Another program has the port, or the address is none of this computer's.
    """
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is in use by another program" if taken else "cannot be used here"
        raise LinkError(
            f"{host}:{port} {why}; choose another address with --dashboard HOST:PORT"
        ) from error


def free_address() -> str:
    """An address on this computer whose port, and the next one, nobody uses.

    Raises
    ------
    LinkError
        None was found.
    """
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return f"tcp://127.0.0.1:{port}"
    raise LinkError("no two free ports on 127.0.0.1; close some programs")
