"""Which frames of a stream will never come."""

from dataclasses import dataclass, replace

MOST_REASON = 200
"""Characters of a reason that are shown."""

RANGES_REMEMBERED = 200
"""Of one stream; of more, the earliest are forgotten (and still counted)."""


@dataclass(frozen=True, slots=True)
class Missing:
    """`first` to `last`, both included."""

    first: int
    last: int
    reason: str = ""

    @property
    def frames(self) -> int:
        """How many."""
        return self.last - self.first + 1

    @property
    def words(self) -> str:
        """Which, and why."""
        which = f"frames {self.first:,} to {self.last:,}"
        if self.frames == 1:
            which = f"frame {self.first:,}"
        return f"{which} lost" + (
            f": {self.reason[:MOST_REASON]}" if self.reason else ""
        )


def with_missing(known: tuple[Missing, ...], new: Missing) -> tuple[Missing, ...]:
    """`known` and one more range, in order of the frames, neighbours joined."""
    result: list[Missing] = []
    for each in sorted((*known, new), key=lambda missing: missing.first):
        last = result[-1] if result else None
        if last and last.reason == each.reason and each.first <= last.last + 1:
            result[-1] = replace(last, last=max(last.last, each.last))
        else:
            result.append(each)
    return tuple(result[-RANGES_REMEMBERED:])
