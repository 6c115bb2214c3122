"""Addresses of this computer: which are free, and which are taken."""

import errno
import random
import socket
from contextlib import ExitStack, suppress

import zmq

from streamer.endpoint import Address, bind
from streamer.errors import LinkError


def check_page_address(host: str, port: int, option: str = "--dashboard") -> None:
    """Refuse an address at which no page could be served.

    Raises
    ------
    LinkError
        Another program has the port, or the address is none of this computer's.
    """
    with listening(host, port, option):
        pass


def listening(host: str, port: int, option: str) -> socket.socket:
    """A socket to which browsers can connect; port 0 stands for any free one.

    Raises
    ------
    LinkError
        Another program has the port, or the address is none of this computer's;
        `option` is named as the way out.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is in use by another program" if taken else "cannot be used here"
        raise LinkError(
            f"{host}:{port} {why}; choose another address with {option} HOST:PORT"
        ) from error


def check_publish_address(url: str, option: str = "--publish") -> None:
    """Refuse an address at which nothing could be published.

    Raises
    ------
    LinkError
        Another program has it or the one next to it, or it is none of this computer's.
    """
    address = Address.parse(url)
    if address.port == 0:
        return
    with zmq.Context() as context:
        for each in (address, address.catch_up()):
            with context.socket(zmq.PUB) as socket_there:
                bind(socket_there, each, option)


def free_address() -> str:
    """An address on this computer whose port, and the next one, nobody uses.

    Raises
    ------
    LinkError
        None was found.
    """
    for _ in range(100):
        # Outgoing connections take theirs from 32768 upwards: who binds there, and
        # goes away for a moment, may find the port taken.
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), ExitStack() as stack:
            for number in (port, port + 1):
                stack.enter_context(socket.create_server(("127.0.0.1", number)))
            return f"tcp://127.0.0.1:{port}"
    raise LinkError("no two free ports on 127.0.0.1; close some programs")
