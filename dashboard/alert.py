"""What a viewer is alerted of."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is; the tones of the page."""

    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says of one stream or service now.

    Where it neither is out of bounds nor ends, nothing can be told: all stays as it is.
    """

    rule: str
    """Name of the setting, or "notice" for what a service says by itself."""
    place: str
    """Stream id, or address of a service."""
    severity: Severity
    words: str
    """True only while it is out of bounds."""
    is_out: bool
    """Out of bounds at this moment."""
    ends: bool
    """Within bounds long enough: an alert that stands is over."""
    lasts: bool = True
    """Out of bounds long enough: an alert begins."""
    seq: int | None = None
    """The first frame that it is about, if it begins."""

    @property
    def key(self) -> tuple[str, str]:
        """What is judged: of each, one alert at most stands."""
        return self.rule, self.place


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a viewer must know, from when it began until it ends."""

    rule: str
    place: str
    severity: Severity
    words: str
    """With the number that was out of bounds last, and the limit."""
    seq: int | None
    """Of the frame since which it holds; None of what is not about frames."""
    began_s: float
    """Since 1970 UTC; no two alerts of a rule and place began at the same time."""

    @property
    def key(self) -> tuple[str, str]:
        """As of `Judgement`."""
        return self.rule, self.place

    @property
    def stream_id(self) -> str | None:
        """Of the stream that `seq` is a frame of."""
        return None if self.seq is None else self.place

    @property
    def id(self) -> str:
        """Another one when it comes anew."""
        return f"{self.rule} {self.place} {self.began_s:.3f}"
