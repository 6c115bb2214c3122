"""What a subscriber reports, in the order in which it happened."""

import math
from dataclasses import dataclass
from typing import TypeAlias

from streamer.frame import Stream
from streamer.messages import Carried, Content, Feed, is_loss
from streamer.service_state import ServiceState
from streamer.steps import Delivery, Finished, Lost


@dataclass(frozen=True, slots=True)
class Received:
    """The next frame or analysis of its stream: in order, and never twice."""

    message: Carried
    sent_ns: int | None
    """By the source's clock, ns since 1970 UTC; None where the source does not say."""
    received_ns: int
    """By this computer's clock, ns since 1970 UTC."""
    skew_ns: int | None = None
    """This computer's clock minus the source's; None where that is not known."""

    @property
    def latency_s(self) -> float:
        """How long it was under way, as far as the two clocks agree; never negative.

        NaN where the source does not say when it was sent.
        """
        if self.sent_ns is None:
            return math.nan
        return max(0, self.received_ns - self.sent_ns) * 1e-9

    @property
    def age_s(self) -> float:
        """How long ago it was sent first, when it came; clocks need not agree.

        Never negative; 0 where it cannot be told.
        """
        if self.sent_ns is None or self.skew_ns is None:
            return 0.0
        return max(0, self.received_ns - self.sent_ns - self.skew_ns) * 1e-9


@dataclass(frozen=True, slots=True)
class Gap:
    """`first` to `last`, both included, will never come."""

    stream: Stream
    first: int
    last: int
    reason: str
    content: Content

    @property
    def is_loss(self) -> bool:
        """Whether anything is missing by it: not what a newer state stands for."""
        return is_loss(self.reason)


@dataclass(frozen=True, slots=True)
class Joined:
    """A stream was heard of for the first time."""

    stream: Stream
    content: Content


@dataclass(frozen=True, slots=True)
class Ended:
    """All `total` messages of a stream were received or reported as gaps."""

    stream: Stream
    total: int
    content: Content


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The source no longer knows a stream that it never ended."""

    stream: Stream
    next_seq: int
    """What would have come next: one more than the newest known to have existed."""
    content: Content


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing has come from a publisher, not even a heartbeat."""

    url: str
    seconds: float
    reason: str | None = None
    """What is known about it: why it does not let one in."""


@dataclass(frozen=True, slots=True)
class Hindered:
    """A connection to a publisher cannot be made from here now; it is tried again."""

    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A publisher was heard, for the first time or again."""

    url: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A publisher says what people should know; None: that holds no longer."""

    url: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Stands:
    """The service behind a publisher says how it stands; None: it does so no longer."""

    url: str
    state: ServiceState | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that does not follow the protocol was thrown away."""

    url: str
    reason: str


Event: TypeAlias = (
    Received
    | Gap
    | Joined
    | Ended
    | Abandoned
    | Silent
    | Hindered
    | Heard
    | Notice
    | Stands
    | Rejected
)


def event_of(
    feed: Feed, step: Delivery[Received] | Lost | Finished, next_seq: int
) -> Event:
    """What a step in the order of `feed` means to the receiver.

    `next_seq` is the seq that would have come next.
    """
    stream, content = feed.stream, feed.content
    match step:
        case Delivery(_, received):
            return received
        case Lost(first, last, reason):
            return Gap(stream, first, last, reason, content)
        case Finished(total):
            if total is None:
                return Abandoned(stream, next_seq, content)
            return Ended(stream, total, content)
