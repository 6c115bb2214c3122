"""What a publisher has: its feeds, how far each has come, and what can be had again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from streamer.errors import WireError
from streamer.frame import Completeness, Frame
from streamer.messages import (
    MAX_STREAMS,
    SUPERSEDED,
    Carried,
    End,
    Feed,
    FeedState,
    Request,
    Unavailable,
    feed_of,
)
from streamer.passing import Passing
from streamer.retention import Key, Retention
from streamer.wire import Parts


@dataclass(frozen=True, slots=True)
class Recalled:
    """A message that was sent before, from its source."""

    message: Carried
    sent_ns: int | None = None
    """When it was sent first, ns since 1970 UTC; None where nobody knows."""


Recall: TypeAlias = Callable[[str, int], Carried | Recalled | str | None]
"""The message of a stream id and seq, from where the source keeps them all; or why
it cannot be had, in words; None: it was never sent."""

EVICTED = "the source no longer keeps it"
NEVER_SENT = "the source never sent it"
UNREADABLE = "the source could not read it again"


def key_of(feed: Feed) -> Key:
    """What tells one feed from another."""
    return feed.content, feed.stream.id


class Catalogue:
    """Feeds by key, the most recent `MAX_STREAMS` of them.

    Parameters
    ----------
    retention
        Where sent messages are kept.
    recall
        Gives any message again, where the source keeps them all itself.
    """

    def __init__(self, retention: Retention, recall: Recall | None = None) -> None:
        self._retention = retention
        self._recall = recall
        self._feeds: dict[Key, FeedState] = {}
        self._passing: dict[Key, Passing] = {}
        """Of feeds that have sent frames which were still being scanned."""

    def announce(self, feed: Feed, count: int) -> None:
        """The feed exists, and `count` messages of it can be recalled."""
        self._extend(feed, count - 1)

    def keep(self, message: Carried, parts: Parts) -> None:
        """Keep a message that is being sent.

        A frame that is still being scanned is kept until the next of its feed comes,
        so that whole frames need not give way to what is out of date.
        """
        feed = feed_of(message)
        self._extend(feed, message.seq)
        if self._recall is None:
            self._supersede(key_of(feed), message)
        self._retention.keep(key_of(feed), message.seq, parts)

    def end(self, stream_id: str) -> tuple[End, ...]:
        """End what is sent of a stream; the messages that say so."""
        ends = []
        for key, state in self._feeds.items():
            if key[1] == stream_id and state.total is None:
                total = state.newest + 1
                self._feeds[key] = FeedState(state.feed, state.newest, 0, total)
                ends.append(End(state.feed, total))
        return tuple(ends)

    def states(self) -> tuple[FeedState, ...]:
        """How far each feed has come."""
        return tuple(
            FeedState(state.feed, state.newest, self._first_kept(key), state.total)
            for key, state in self._feeds.items()
        )

    def ended(self) -> frozenset[Key] | None:
        """The feeds, when there are some and all have ended."""
        if not self._feeds or any(state.total is None for state in self.states()):
            return None
        return frozenset(self._feeds)

    def kept(self, key: Key, seq: int) -> Parts | None:
        """A message as it was sent, while it is kept."""
        return self._retention.get(key, seq)

    def recalled(self, request: Request) -> Recalled | None:
        """The first message of `request` from the source; None if it has no such.

        The only part of a catalogue that may take long, and needs no lock.

        Raises
        ------
        WireError
            The source failed to read it, or says why it has it no more; the text is
            that reason.
        """
        if self._recall is None:
            return None
        try:
            answer = self._recall(request.feed.stream.id, request.first)
        # Whatever a source's own code raises must not take the live stream with it.
        except Exception as error:
            raise WireError(f"{UNREADABLE}: {error}") from error
        if isinstance(answer, str):
            raise WireError(answer)
        if answer is None:
            return None
        again = answer if isinstance(answer, Recalled) else Recalled(answer)
        message = again.message
        is_it = feed_of(message) == request.feed and message.seq == request.first
        return again if is_it else None

    def limit(self, request: Request) -> Request | None:
        """The part of `request` that has been sent; None when nothing has."""
        state = self._feeds.get(key_of(request.feed))
        if state is None or request.first > state.newest:
            return None
        return Request(request.feed, request.first, min(request.last, state.newest))

    def unavailable(self, request: Request) -> Unavailable:
        """Why the first message of `request` cannot be had, and how far that holds.

        `request` is one that `limit` let through.
        """
        feed, key, first = request.feed, key_of(request.feed), request.first
        if key not in self._feeds:
            # Newer feeds have taken its place since.
            return Unavailable(feed, first, request.last, EVICTED)
        passing = self._passing.get(key, Passing())
        last = passing.until(first)
        if last is not None:
            return Unavailable(feed, first, last, SUPERSEDED)
        # Beyond these is what is kept, or what is gone for another reason.
        bounds = [self._first_kept(key), passing.after(first)]
        last = min(bound for bound in bounds if bound is not None) - 1
        if first <= last:
            return Unavailable(feed, first, last, EVICTED)
        return Unavailable(feed, first, first, NEVER_SENT)

    def _supersede(self, key: Key, message: Carried) -> None:
        """Forget the frame of which `message` is a newer state."""
        is_growing = (
            isinstance(message, Frame) and message.completeness is Completeness.PARTIAL
        )
        if is_growing:
            self._passing.setdefault(key, Passing())
        if key not in self._passing:
            return
        before = self._passing[key].follow(message.seq, is_growing=is_growing)
        if before is not None:
            self._retention.forget(key, before)

    def _first_kept(self, key: Key) -> int:
        if self._recall is not None:
            return 0
        first = self._retention.first(key)
        return self._feeds[key].newest + 1 if first is None else first

    def _extend(self, feed: Feed, newest: int) -> None:
        """The feed has come to `newest` at least."""
        key = key_of(feed)
        state = self._feeds.get(key)
        if state is not None and state.total is not None:
            raise WireError(
                f"{feed.content} {newest} of stream {feed.stream.id}, "
                f"which ended after {state.total}; a new run needs a new stream id"
            )
        if state is None:
            self._make_room()
        newest = max(newest, -1 if state is None else state.newest)
        self._feeds[key] = FeedState(feed, newest, 0)

    def _make_room(self) -> None:
        """Forget the oldest feed, one that has ended if there is one."""
        if len(self._feeds) < MAX_STREAMS:
            return
        ended = (key for key, state in self._feeds.items() if state.total is not None)
        oldest = next(ended, next(iter(self._feeds)))
        del self._feeds[oldest]
        self._passing.pop(oldest, None)
