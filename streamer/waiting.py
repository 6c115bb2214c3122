"""Who asked a publisher for what, and whose turn it is."""

from streamer.catalogue import key_of
from streamer.messages import MAX_STREAMS, Request
from streamer.retention import Key

MAX_CLIENTS = 256


class Waiting:
    """Requests not yet answered, one for each feed of each client.

    A client that asks again for a feed replaces what it asked for before, and has no
    more requests than a publisher has feeds, so that neither an impatient nor a hostile
    one makes the list grow.
    """

    def __init__(self) -> None:
        self._requests: dict[bytes, dict[Key, Request]] = {}

    def add(self, client: bytes, request: Request) -> None:
        """A client asks."""
        if client not in self._requests and len(self._requests) >= MAX_CLIENTS:
            self.forget(next(iter(self._requests)))
        requests = self._requests.setdefault(client, {})
        requests[key_of(request.feed)] = request
        if len(requests) > MAX_STREAMS:
            # More feeds than a publisher has: what it never sent is not worth keeping.
            del requests[next(iter(requests))]

    def clients(self) -> tuple[bytes, ...]:
        """Those who wait for an answer."""
        return tuple(self._requests)

    def next(self, client: bytes) -> Request:
        """What this client is to be given first."""
        return next(iter(self._requests[client].values()))

    def answered(self, client: bytes, request: Request, last: int) -> None:
        """`request` has been answered up to `last`; the client's other feeds follow."""
        requests = self._requests[client]
        key = key_of(request.feed)
        del requests[key]
        if last < request.last:
            requests[key] = Request(request.feed, last + 1, request.last)
        if not requests:
            del self._requests[client]

    def forget_all(self) -> None:
        """All connections were cut."""
        self._requests.clear()

    def forget(self, client: bytes) -> None:
        """A client is gone."""
        self._requests.pop(client, None)
