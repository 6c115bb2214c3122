"""Everything that publisher and subscriber say to each other.

A *feed* is what one publisher sends of one stream: its frames, or their analyses.
`Frame` and `Analysis` are what a feed carries; the messages here keep it whole.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from streamer.analysis import Analysis
from streamer.frame import Frame, Stream
from streamer.service_state import ServiceState

MAX_STREAMS = 64
"""Feeds that one heartbeat lists, and that one publisher keeps in mind."""

HEARTBEAT_TOPIC = "heartbeat"
SUPERSEDED = "a newer state of the same frame took its place"
"""Why a frame that was still being scanned cannot be had: the only reason that is no
loss, and known to both ends by these very words."""
SUBSCRIBER_TOPIC = "subscriber/"
"""A subscriber subscribes to this and its own name: so the publisher knows it."""


class Content(StrEnum):
    """What a feed carries."""

    FRAME = "frame"
    ANALYSIS = "analysis"


@dataclass(frozen=True, slots=True)
class Feed:
    """The frames of a stream, or their analyses."""

    content: Content
    stream: Stream

    @property
    def topic(self) -> str:
        """What a subscriber filters by: `frame/<source>/<channel>`.

        "/" and "%" inside a name are written as in URLs.
        """
        source, channel = (
            name.replace("%", "%25").replace("/", "%2F")
            for name in (self.stream.source, self.stream.channel)
        )
        return f"{self.content}/{source}/{channel}"


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far a feed has come."""

    feed: Feed
    newest: int
    """Newest seq that was sent; -1 before the first."""
    first_kept: int
    """Oldest seq that can be asked for; `newest` + 1 when nothing is kept."""
    total: int | None = None
    """How many there are in all, once the feed has ended."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A publisher is alive: what it has, and where one asks for it."""

    catch_up: int | str | None
    """TCP port, or path of the ipc socket; None: cannot be asked."""
    feeds: tuple[FeedState, ...]
    """All that this publisher knows of: what it no longer lists, it cannot continue."""
    notice: str | None = None
    """What people should know now."""
    state: ServiceState | None = None
    """How the service stands that publishes; None of what is no service."""


@dataclass(frozen=True, slots=True)
class End:
    """No more will come of a feed than seq 0 to `total` - 1."""

    feed: Feed
    total: int


@dataclass(frozen=True, slots=True)
class Request:
    """A subscriber asks for `first` to `last`, both included, once more."""

    feed: Feed
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Unavailable:
    """`first` to `last`, both included, cannot be had any more, and why."""

    feed: Feed
    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """A subscriber has taken care of every message of these feeds."""

    subscriber: str
    finished: tuple[tuple[Content, str], ...]
    """(content, stream id) of each ended feed; also of those it does not want."""
    leaving: bool = False
    """It goes away and wants nothing more of any feed."""


Carried: TypeAlias = Frame | Analysis
Message: TypeAlias = Carried | Heartbeat | End | Request | Unavailable | Done


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message and when it was sent."""

    message: Message
    sent_ns: int
    """By the sender's clock, ns since 1970 UTC: for latency, never for order."""


def is_loss(reason: str) -> bool:
    """Whether who is told `reason` of what cannot be had misses anything."""
    return reason != SUPERSEDED


def feed_of(message: Carried) -> Feed:
    """The feed that a frame or an analysis belongs to."""
    content = Content.FRAME if isinstance(message, Frame) else Content.ANALYSIS
    return Feed(content, message.stream)


def topic_of(message: Message) -> str:
    """The topic that `message` travels under."""
    match message:
        case Frame() | Analysis():
            return feed_of(message).topic
        case Heartbeat():
            return HEARTBEAT_TOPIC
        case Done():
            return SUBSCRIBER_TOPIC + message.subscriber
        case _:
            return message.feed.topic
