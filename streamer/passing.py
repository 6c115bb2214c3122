"""Frames that are still being scanned: each takes the place of the one before."""

from dataclasses import dataclass, field

MOST_SPANS = 1024
"""Runs of superseded frames that are remembered of one feed; of older ones it is
forgotten why they are not kept."""


@dataclass(slots=True)
class Passing:
    """Which frames of one feed a newer one has taken the place of."""

    _newest: int | None = None
    """One that is still being scanned, and gives way to whatever comes next."""
    _spans: list[tuple[int, int]] = field(default_factory=list)

    def follow(self, seq: int, *, is_growing: bool) -> int | None:
        """A frame is sent, maybe one still being scanned; the one it supersedes."""
        before = self._newest
        if before is not None and seq <= before:
            return None
        self._newest = seq if is_growing else None
        if before is not None:
            self._add(before)
        return before

    def until(self, seq: int) -> int | None:
        """The last of the superseded ones from `seq` on; None if `seq` is not one."""
        return next((last for first, last in self._spans if first <= seq <= last), None)

    def after(self, seq: int) -> int | None:
        """The first superseded one after `seq`."""
        return next((first for first, _ in self._spans if first > seq), None)

    def _add(self, seq: int) -> None:
        if self._spans and self._spans[-1][1] == seq - 1:
            self._spans[-1] = self._spans[-1][0], seq
        else:
            self._spans.append((seq, seq))
            del self._spans[:-MOST_SPANS]
