"""By how much the clock of a publisher differs from this computer's."""

from collections import deque

BEATS = 30
"""Heartbeats that are looked at: half a minute."""


class Skew:
    """Learns from heartbeats, which are under way for hardly any time."""

    def __init__(self) -> None:
        self._behind_ns: deque[int] = deque(maxlen=BEATS)

    def beat(self, sent_ns: int, received_ns: int) -> None:
        """A heartbeat came; both times are since 1970 UTC, each by its own clock."""
        self._behind_ns.append(received_ns - sent_ns)

    @property
    def ns(self) -> int | None:
        """What this clock is ahead of the publisher's; None before a heartbeat.

        The smallest that was seen: the heartbeat that waited least. A clock that was
        put right counts at once where it went on, and after `BEATS` where it went back.
        """
        return min(self._behind_ns, default=None)
