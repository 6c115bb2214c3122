"""Wakes a thread that waits in a ZeroMQ poll, from any other thread."""

import contextlib
import socket


class Doorbell:
    """A pair of sockets of the operating system; ZeroMQ's own belong to one thread."""

    def __init__(self) -> None:
        self._caller, self._waiter = socket.socketpair()
        self._caller.setblocking(False)
        self._waiter.setblocking(False)

    def fileno(self) -> int:
        """The descriptor that becomes readable when the bell rings."""
        return self._waiter.fileno()

    def ring(self) -> None:
        """Wake the waiting thread."""
        # Full, it rings already; closed, nobody waits any more.
        with contextlib.suppress(OSError):
            self._caller.send(b"\0")

    def silence(self) -> None:
        """Stop ringing."""
        with contextlib.suppress(BlockingIOError):
            self._waiter.recv(4096)

    def close(self) -> None:
        """Give the descriptors back."""
        self._caller.close()
        self._waiter.close()
