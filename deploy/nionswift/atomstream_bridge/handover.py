"""What the acquisition thread hands over to the one that sends."""

from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Handover(Generic[Item]):
    """A queue that never makes who fills it wait, and never grows beyond its limit.

    Who fills it shares no lock with who empties it, which may be kept from running for
    5 ms at any moment, and with the lock in its hand.
    """

    max_bytes: int
    _items: SimpleQueue[tuple[Item, int]] = field(default_factory=SimpleQueue)
    _filling: Lock = field(default_factory=Lock)
    _put_bytes: int = 0
    _taken_bytes: int = 0

    def has_room(self, nbytes: int) -> bool:
        """Whether so much more may wait; one item always may."""
        waiting = self._put_bytes - self._taken_bytes
        return waiting == 0 or waiting + nbytes <= self.max_bytes

    def put(self, item: Item, nbytes: int = 0) -> None:
        """Have `item` wait, whether or not there is room."""
        with self._filling:
            self._put_bytes += nbytes
        self._items.put((item, nbytes))

    def take(self) -> Item:
        """The oldest item, as soon as there is one; for one thread alone."""
        item, nbytes = self._items.get()
        self._taken_bytes += nbytes
        return item

    def __len__(self) -> int:
        return self._items.qsize()
