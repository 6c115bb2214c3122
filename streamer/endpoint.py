"""Addresses of streams, and the sockets behind them.

A publisher has two: one for what is live, and one beside it where subscribers ask
for what they missed (the next TCP port, or the same path with ".catchup").
"""

import errno
import re
import socket as operating_system
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol, Self
from uuid import uuid4

import zmq

from streamer.errors import LinkError, SecurityError, WireError

MAX_PORT = 65_535
CATCH_UP_SUFFIX = ".catchup"
CLOSING_MS = 1000
"""How long to wait until the operating system has taken back an address."""

_TCP = re.compile(r"tcp://(?P<host>\[[^\]]+\]|[^\[\]:/]+):(?P<port>\d{1,9}|\*)")
_IPC = re.compile(r"ipc://(?P<path>.+)")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a publisher binds or a subscriber connects."""

    host: str
    """Host name or number, "*" for all interfaces; for ipc the path."""
    port: int | None
    """0 stands for any free port; None for ipc."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """The address in "tcp://HOST:PORT" or "ipc://PATH".

        Raises
        ------
        LinkError
            Neither of the two, or a port out of range.
        """
        if ipc := _IPC.fullmatch(url):
            return cls(ipc["path"], None)
        tcp = _TCP.fullmatch(url)
        if tcp is None:
            raise LinkError(
                f"address {url[:200]!r}, expected tcp://HOST:PORT or ipc://PATH"
            )
        port = int(tcp["port"].replace("*", "0"))
        if port > MAX_PORT:
            raise LinkError(f"port {port} in {url}, expected 1 to {MAX_PORT}")
        return cls(tcp["host"], port)

    @property
    def url(self) -> str:
        """The address as ZeroMQ wants it."""
        if self.port is None:
            return f"ipc://{self.host}"
        return f"tcp://{self.host}:{self.port or '*'}"

    @property
    def is_local(self) -> bool:
        """Whether only programs of this computer can be at the other end.

        A name other than localhost counts as another computer, whatever it stands for.
        """
        if self.port is None or self.host == "localhost":
            return True
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def from_here(self) -> "Address":
        """Where a program of the same computer finds who bound this address."""
        numbers = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
        return Address(numbers.get(self.host, self.host), self.port)

    def catch_up(self) -> "Address":
        """Where the publisher bound here binds for catch-up.

        Raises
        ------
        LinkError
            There is no port after this one.
        """
        if self.port is None:
            return Address(self.host + CATCH_UP_SUFFIX, None)
        if self.port == MAX_PORT:
            raise LinkError(
                f"{self.url} leaves no next port for catch-up; choose a lower port"
            )
        return Address(self.host, self.port + 1 if self.port else 0)

    def at(self, advertised: int | str) -> "Address":
        """Where the publisher connected to here says that it can be asked.

        Raises
        ------
        WireError
            An ipc path from a TCP publisher, or the other way round.
        """
        if isinstance(advertised, int) and self.port is not None:
            return Address(self.host, advertised)
        if isinstance(advertised, str) and self.port is None:
            return Address(advertised, None)
        raise WireError(f"{self.url} advertises catch-up at {advertised!r}")


class Security(Protocol):
    """Who may be at the other end of a socket."""

    def protect(self, socket: zmq.Socket[bytes], address: Address) -> None:
        """Prepare `socket`, which is to be bound or connected to `address`.

        Raises
        ------
        SecurityError
            A key is missing, or the address needs one.
        """


def open_socket(
    context: zmq.Context[zmq.Socket[bytes]],
    kind: zmq.SocketType,
    address: Address,
    *,
    security: Security,
    queue: int,
    message_bytes: int,
) -> zmq.Socket[bytes]:
    """A socket with bounded queues, neither bound nor connected yet.

    Every socket of a stream is made here, so that what concerns all of them
    (limits, encryption) is decided in one place.

    Parameters
    ----------
    context
        ZeroMQ context of the caller.
    kind
        ZeroMQ socket type.
    address
        Where it will be bound or connected.
    security
        Who may be at the other end.
    queue
        Messages that may wait in either direction, for each peer.
    message_bytes
        Largest part that may arrive; a peer that sends a larger one is cut off
        before anything is allocated.

    Raises
    ------
    SecurityError
        A key is missing, or the address needs one.
    """
    socket = context.socket(kind)
    socket.linger = 0
    try:
        security.protect(socket, address)
    except SecurityError:
        socket.close()
        raise
    socket.sndhwm = socket.rcvhwm = queue
    socket.maxmsgsize = message_bytes
    socket.ipv6 = address.host.startswith("[")
    socket.reconnect_ivl, socket.reconnect_ivl_max = 100, 1000
    socket.connect_timeout = 3000
    # A peer that vanished without a word is noticed by the kernel. ZeroMQ's own
    # heartbeats would also cut off a peer that is alive but slow to read.
    socket.tcp_keepalive, socket.tcp_keepalive_idle = 1, 10
    socket.tcp_keepalive_intvl, socket.tcp_keepalive_cnt = 5, 3
    return socket


def bind(socket: zmq.Socket[bytes], address: Address, option: str) -> Address:
    """The address that `socket` is bound to: `address`, its port the real one.

    Raises
    ------
    LinkError
        The address cannot be used; `option` is named as the way out.
    """
    if address.port is None and answers(address.host):
        # Unasked, ZeroMQ would take the path from the program that listens there.
        raise LinkError(refusal(address, errno.EADDRINUSE, option))
    try:
        socket.bind(address.url)
    except zmq.ZMQError as error:
        raise LinkError(refusal(address, error.errno, option)) from error
    if address.port is None:
        return address
    bound = Address.parse(socket.getsockopt_string(zmq.LAST_ENDPOINT))
    return Address(address.host, bound.port)


def refusal(address: Address, code: int | None, option: str) -> str:
    """Why `address` cannot be bound, and what to do."""
    reasons = {
        errno.EADDRINUSE: "is in use by another program",
        errno.EADDRNOTAVAIL: "is not an address of this machine",
        errno.ENODEV: "names a host that is not known here",
        errno.EACCES: "may not be used by this user",
        errno.ENOENT: "lies in a folder that does not exist",
        errno.ENAMETOOLONG: "is too long for a socket",
    }
    reason = reasons.get(code or 0, f"cannot be bound ({zmq.strerror(code or 0)})")
    return f"{address.url} {reason}; choose another address with {option}"


def answers(path: str) -> bool:
    """Whether a program listens on the ipc socket at `path`."""
    name = "\0" + path[1:] if path.startswith("@") else path
    with operating_system.socket(operating_system.AF_UNIX) as probe:
        try:
            probe.connect(name)
        except OSError:
            return False
        return True


def check_reachable(address: Address) -> None:
    """Refuse an address that no subscriber can ever reach.

    Raises
    ------
    LinkError
        A wildcard, or a host whose name nobody knows.
    """
    if address.port is None:
        return
    if address.host == "*" or address.port == 0:
        raise LinkError(f"{address.url} has no host and port to connect to")
    try:
        operating_system.getaddrinfo(address.host.strip("[]"), address.port)
    except (OSError, UnicodeError) as error:
        raise LinkError(
            f"{address.url} names a host that is not known here; check its spelling"
        ) from error


def receive(socket: zmq.Socket[bytes], most: int) -> list[memoryview] | None:
    """The next message's parts without copying them, None when nothing has come.

    No more than `most` + 1 parts are kept, whatever was sent: enough to see that
    there were too many.
    """
    parts: list[memoryview] = []
    try:
        while True:
            part = socket.recv(zmq.NOBLOCK, copy=False)
            if len(parts) <= most:
                parts.append(part.buffer)
            if not part.more:
                return parts
    except zmq.Again:
        return None


def close_bound(socket: zmq.Socket[bytes], linger_s: float) -> None:
    """Close a bound socket, and return when its address can be bound again.

    What was sent already goes on being delivered for `linger_s` at most, by
    ZeroMQ's own thread.
    """
    # `unbind` would also give the address back, but cuts off what is being sent.
    told = f"inproc://closing-{uuid4().hex}"
    with socket.context.socket(zmq.PAIR) as closed:
        is_bound = socket.getsockopt_string(zmq.LAST_ENDPOINT) != ""
        if is_bound:
            socket.monitor(told, zmq.Event.CLOSED | zmq.Event.CLOSE_FAILED)
            closed.connect(told)
        socket.close(round(linger_s * 1000))
        if is_bound:
            closed.poll(CLOSING_MS)
