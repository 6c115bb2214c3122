"""Who subscribed to a publisher, and who has everything."""

from collections.abc import Set as AbstractSet

from streamer.messages import Done
from streamer.retention import Key

MAX_SUBSCRIBERS = 1024
EXPECTED_S = 60.0
"""How long one that vanished without a word is expected back."""


class Roster:
    """Subscribers by name, from their first subscription until they say good-bye.

    One that vanishes without a word is expected back for a while. Every `now_s` is
    of one monotonic clock.
    """

    def __init__(self) -> None:
        self._finished: dict[str, frozenset[Key]] = {}
        self._vanished_s: dict[str, float] = {}
        self.joined = 0
        """How many names have ever joined."""

    @property
    def present(self) -> int:
        """How many are connected now."""
        return len(self._finished) - len(self._vanished_s)

    def join(self, name: str) -> None:
        """A subscriber connected, for the first time or again."""
        if name not in self._finished:
            if len(self._finished) >= MAX_SUBSCRIBERS:
                self._forget(next(iter(self._finished)))
            self._finished[name] = frozenset()
            self.joined += 1
        self._vanished_s.pop(name, None)

    def part(self, name: str, now_s: float) -> None:
        """A subscriber is no longer connected."""
        if name in self._finished:
            self._vanished_s[name] = now_s

    def part_all(self, now_s: float) -> None:
        """All connections were cut; who may connect again will."""
        for name in self._finished:
            self._vanished_s.setdefault(name, now_s)

    def note(self, done: Done) -> None:
        """A subscriber says what it has all of, or that it leaves."""
        if done.subscriber not in self._finished:
            return
        if done.leaving:
            self._forget(done.subscriber)
        else:
            self._finished[done.subscriber] = frozenset(done.finished)

    def have(self, feeds: AbstractSet[Key], now_s: float) -> bool:
        """Whether somebody joined, and nobody is left who lacks part of `feeds`."""
        return self.joined > 0 and all(
            feeds <= finished or now_s - self._vanished_s.get(name, now_s) > EXPECTED_S
            for name, finished in self._finished.items()
        )

    def _forget(self, name: str) -> None:
        self._finished.pop(name, None)
        self._vanished_s.pop(name, None)
