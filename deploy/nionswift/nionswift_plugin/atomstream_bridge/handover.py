"""What the acquisition thread hands over to the one that sends."""

from collections import deque
from dataclasses import dataclass, field
from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Handover(Generic[Item]):
    """A queue that never makes who fills it wait, and never grows beyond its limit."""

    max_bytes: int
    _items: deque[tuple[Item, int]] = field(default_factory=deque)
    _nbytes: int = 0
    _changed: Condition = field(default_factory=Condition)

    def has_room(self, nbytes: int) -> bool:
        """Whether so much more may wait; one item always may."""
        with self._changed:
            return not self._items or self._nbytes + nbytes <= self.max_bytes

    def put(self, item: Item, nbytes: int = 0) -> None:
        """Have `item` wait, whether or not there is room."""
        with self._changed:
            self._items.append((item, nbytes))
            self._nbytes += nbytes
            self._changed.notify()

    def take(self) -> Item:
        """The oldest item, as soon as there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self._items)
            item, nbytes = self._items.popleft()
            self._nbytes -= nbytes
            return item

    def __len__(self) -> int:
        return len(self._items)
