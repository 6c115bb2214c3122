"""What a publisher keeps of what it sent, for those who missed it."""

from collections import OrderedDict
from typing import TypeAlias

from streamer.messages import Content
from streamer.wire import Parts

Key: TypeAlias = tuple[Content, str]
"""(content, stream id): what tells one feed from another."""


class Retention:
    """The newest messages of all feeds, bounded by their bytes.

    The very newest is always kept, however large it is.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[Key, int], Parts] = OrderedDict()
        self._seqs: dict[Key, OrderedDict[int, None]] = {}
        self.nbytes = 0

    def keep(self, key: Key, seq: int, parts: Parts) -> None:
        """Keep a message; the oldest ones give way."""
        self.forget(key, seq)
        self._kept[key, seq] = parts
        self._seqs.setdefault(key, OrderedDict())[seq] = None
        self.nbytes += size(parts)
        while self.nbytes > self._max_bytes and len(self._kept) > 1:
            self.forget(*next(iter(self._kept)))

    def get(self, key: Key, seq: int) -> Parts | None:
        """A message, while it is kept."""
        return self._kept.get((key, seq))

    def first(self, key: Key) -> int | None:
        """The oldest seq of a feed that is kept."""
        return next(iter(self._seqs.get(key, ())), None)

    def forget(self, key: Key, seq: int) -> None:
        """Keep a message no longer."""
        parts = self._kept.pop((key, seq), None)
        if parts is not None:
            self.nbytes -= size(parts)
            del self._seqs[key][seq]
            if not self._seqs[key]:
                del self._seqs[key]


def size(parts: Parts) -> int:
    """Bytes of a message."""
    return sum(len(part) for part in parts)
