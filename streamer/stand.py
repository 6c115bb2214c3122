"""The two sockets that a publisher binds: what is live, and what was missed."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self, TypeAlias

import zmq

from streamer.endpoint import Address, Security, bind, close_bound, open_socket
from streamer.errors import LinkError
from streamer.gate import Gate
from streamer.security import Binding, CurveServer

log = logging.getLogger(__name__)

LIVE_QUEUE = 32
"""Live messages that wait for a slow subscriber; it asks for those left out."""
CATCH_UP_QUEUE = 8
"""Answers that wait for a slow subscriber before the next is even looked up."""
SUBSCRIPTION_BYTES = 4096
REQUEST_BYTES = 64 * 1024

Socket: TypeAlias = zmq.Socket[bytes]


@dataclass(slots=True)
class Stand:
    """Bound sockets; they belong to one thread at a time."""

    live: Socket
    """XPUB."""
    catch_up: Socket
    """ROUTER."""
    at: Address
    """Where subscribers connect."""
    asked_at: Address
    """Where they ask."""
    gate: Gate | None
    """Who may connect; None: anybody."""
    option: str
    """The command line's name for the address, for messages."""
    _unbound: list[tuple[Socket, Address]] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        context: zmq.Context[Socket],
        address: Address,
        security: Binding,
        option: str,
    ) -> Self:
        """Both sockets bound, at `address` and beside it.

        Raises
        ------
        LinkError
            An address cannot be used; `option` is named as the way out.
        SecurityError
            A key is missing, or the address needs one.
        """
        beside = address.catch_up()
        if not isinstance(security, CurveServer):
            return cls._bound(context, address, beside, security, None, option)
        gate = Gate(context, security.keys)
        try:
            return cls._bound(context, address, beside, gate, gate, option)
        except LinkError:
            gate.close()
            raise

    @classmethod
    def _bound(
        cls,
        context: zmq.Context[Socket],
        address: Address,
        beside: Address,
        security: Security,
        gate: Gate | None,
        option: str,
    ) -> Self:
        live, catch_up = open_pair(context, address, beside, security)
        try:
            at, asked_at = bind(live, address, option), bind(catch_up, beside, option)
        except LinkError:
            close_bound(live, 0)
            close_bound(catch_up, 0)
            raise
        return cls(live, catch_up, at, asked_at, gate, option)

    @property
    def url(self) -> str:
        """Where subscribers connect."""
        return self.at.url

    @property
    def advertised(self) -> int | str:
        """Port or path of `catch_up`: the host is known to who found `live`."""
        address = self.asked_at
        return address.host if address.port is None else address.port

    @property
    def refused(self) -> int:
        """Connections of those who are not allowed."""
        return self.gate.refused if self.gate else 0

    def sockets(self) -> list[Socket]:
        """Those to be read or minded."""
        gate = [self.gate.socket] if self.gate else []
        return [self.live, self.catch_up, *gate]

    def mind(self) -> bool:
        """Answer who knocks; whether all connections had to be cut.

        They are when the keys or the allow-list change: each must be let in again.
        """
        if self.gate is None:
            return False
        self.gate.answer()
        has_changed = self.gate.has_changed()
        if has_changed:
            self._cut(self.gate)
        for error in self._bind_again():
            if has_changed:
                log.warning("nothing is sent until this is mended: %s", error)
        return has_changed

    def close(self, linger_s: float) -> None:
        """Close both; their addresses can be bound again."""
        close_bound(self.live, linger_s)
        close_bound(self.catch_up, linger_s)
        if self.gate:
            self.gate.close()

    def _cut(self, gate: Gate) -> None:
        """New sockets in place of the old ones: ZeroMQ cannot cut a single peer."""
        context = self.live.context
        for socket in (self.live, self.catch_up):
            close_bound(socket, 0)
        self.live, self.catch_up = open_pair(context, self.at, self.asked_at, gate)
        self._unbound = [(self.live, self.at), (self.catch_up, self.asked_at)]

    def _bind_again(self) -> Iterator[LinkError]:
        """Take the addresses back; what another program has now waits for a turn."""
        for socket, address in tuple(self._unbound):
            try:
                bind(socket, address, self.option)
            except LinkError as error:
                yield error
            else:
                self._unbound.remove((socket, address))


def open_pair(
    context: zmq.Context[Socket], address: Address, beside: Address, security: Security
) -> tuple[Socket, Socket]:
    """Sockets for what is live and what was missed, not bound yet.

    Raises
    ------
    SecurityError
        A key is missing, or the address needs one.
    """
    live = open_socket(
        context,
        zmq.XPUB,
        address,
        security=security,
        queue=LIVE_QUEUE,
        message_bytes=SUBSCRIPTION_BYTES,
    )
    catch_up = open_socket(
        context,
        zmq.ROUTER,
        beside,
        security=security,
        queue=CATCH_UP_QUEUE,
        message_bytes=REQUEST_BYTES,
    )
    # Each subscription shall be seen, not only the first to a topic; and a full
    # queue of one client shall be told from a client that is gone.
    live.xpub_verbose = catch_up.router_mandatory = True
    return live, catch_up
