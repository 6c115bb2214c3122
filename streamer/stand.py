"""The two sockets that a publisher binds: what is live, and what was missed."""

from dataclasses import dataclass
from typing import Self

import zmq

from streamer.endpoint import Address, bind, close_bound, open_socket
from streamer.errors import LinkError

LIVE_QUEUE = 32
"""Live messages that wait for a slow subscriber; it asks for those left out."""
CATCH_UP_QUEUE = 8
"""Answers that wait for a slow subscriber before the next is even looked up."""
SUBSCRIPTION_BYTES = 4096
REQUEST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Stand:
    """Bound sockets; they belong to one thread at a time."""

    live: zmq.Socket[bytes]
    """XPUB."""
    catch_up: zmq.Socket[bytes]
    """ROUTER."""
    url: str
    """Where subscribers connect."""
    advertised: int | str
    """Port or path of `catch_up`: the host is known to who found `live`."""

    @classmethod
    def open(
        cls, context: zmq.Context[zmq.Socket[bytes]], address: Address, option: str
    ) -> Self:
        """Both sockets bound, at `address` and beside it.

        Raises
        ------
        LinkError
            An address cannot be used; `option` is named as the way out.
        """
        beside = address.catch_up()
        live = open_socket(
            context,
            zmq.XPUB,
            address,
            queue=LIVE_QUEUE,
            message_bytes=SUBSCRIPTION_BYTES,
        )
        catch_up = open_socket(
            context,
            zmq.ROUTER,
            beside,
            queue=CATCH_UP_QUEUE,
            message_bytes=REQUEST_BYTES,
        )
        # Each subscription shall be seen, not only the first to a topic; and a full
        # queue of one client shall be told from a client that is gone.
        live.xpub_verbose = catch_up.router_mandatory = True
        try:
            bound = bind(live, address, option)
            asked = bind(catch_up, beside, option)
        except LinkError:
            close_bound(live, 0)
            close_bound(catch_up, 0)
            raise
        advertised = asked.host if asked.port is None else asked.port
        return cls(live, catch_up, bound.url, advertised)

    def close(self, linger_s: float) -> None:
        """Close both; their addresses can be bound again."""
        close_bound(self.live, linger_s)
        close_bound(self.catch_up, linger_s)
