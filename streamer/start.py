"""Where a subscriber begins."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Start:
    """Where a subscriber begins in a feed that is already running."""

    keep: int | None = None
    """How many of the newest messages to begin with; None: all, from seq 0."""

    @classmethod
    def first(cls) -> "Start":
        """Everything, from seq 0 or from where the subscriber left off."""
        return cls()

    @classmethod
    def newest(cls, keep: int = 0) -> "Start":
        """What comes from now on, and the `keep` messages before it."""
        return cls(keep)


FROM_FIRST = Start.first()
