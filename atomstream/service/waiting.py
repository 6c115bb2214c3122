"""Which of the frames that wait for their analysis is next."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from streamer.session.records import FrameKey


@dataclass
class Waiting:
    """Frames that wait, in the order in which they came.

    A whole frame goes before frames of other streams that were sent while they were
    still being scanned: it is what they only announced. In its own stream none
    overtakes another.
    """

    _keys: deque[FrameKey] = field(default_factory=deque, init=False)
    _partial: frozenset[FrameKey] = field(default=frozenset(), init=False)

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def may_be_overtaken(self) -> bool:
        """Whether a frame that comes now could have to go first."""
        return not self._partial.isdisjoint(self._keys)

    def renew(self, keys: Iterable[FrameKey], partial: frozenset[FrameKey]) -> None:
        """From now on these wait, some of which were still being scanned."""
        self._keys = deque(keys)
        self._partial = partial

    def first(self) -> FrameKey:
        """The next one, which stays.

        Raises
        ------
        IndexError
            None waits.
        """
        return self._keys[self._foremost()]

    def take(self) -> FrameKey:
        """The next one, which waits no longer.

        Raises
        ------
        IndexError
            None waits.
        """
        key = self.first()
        self._keys.remove(key)
        return key

    def put_back(self, key: FrameKey) -> None:
        """Have this one next again."""
        self._keys.appendleft(key)

    def _foremost(self) -> int:
        behind_partial: set[str] = set()
        for index, key in enumerate(self._keys):
            if key in self._partial:
                behind_partial.add(key.stream_id)
            elif key.stream_id not in behind_partial:
                return index
        return 0
