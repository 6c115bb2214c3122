"""The feeds that a subscriber follows, each put in order, and what came of them."""

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass

from streamer.catalogue import key_of
from streamer.events import Event, Joined, Received, event_of
from streamer.link import Link
from streamer.messages import Feed, Request
from streamer.retention import Key
from streamer.sequencer import Bounds, Held, Sequencer
from streamer.start import Start
from streamer.steps import Ask, Finished

MAX_FEEDS = 1024
"""Feeds kept in mind; of more than these one of the publisher with most is given up,
the one heard least recently."""
GRACE_S = 3.0
"""How long a publisher that was restarted may take to list what it had before."""
ABANDONED = "the source was restarted without it"
FORGOTTEN = "too many streams at once"


@dataclass(slots=True)
class Following:
    """A feed, its order, and the publisher that it was last heard from."""

    feed: Feed
    sequencer: Sequencer[Received]
    link: Link
    unlisted_s: float | None = None
    """Since when the heartbeats of its publisher do not list it."""
    is_abandoned: bool = False
    is_taken: bool = False
    """The caller has taken care of everything up to the end."""


class Followings:
    """Feeds by key; `events` is what they gave and nobody has fetched yet."""

    def __init__(
        self, start: Start, resume: Mapping[str, int], bounds: Bounds | None
    ) -> None:
        self._start, self._resume, self._bounds = start, resume, bounds
        self._held = Held()
        self._by_key: OrderedDict[Key, Following] = OrderedDict()
        self.events: deque[Event] = deque()
        self.asked = 0

    def find(self, feed: Feed) -> Following | None:
        """The state of a feed, if it was ever heard of."""
        return self._by_key.get(key_of(feed))

    def unfinished(self, link: Link) -> list[Following]:
        """The feeds last heard from `link` of which more may come."""
        return [
            following
            for following in self._by_key.values()
            if following.link is link and not following.sequencer.finished
        ]

    def follow(
        self, feed: Feed, link: Link, now_s: float, *, is_listed: bool = False
    ) -> Following:
        """The state of a feed that was just heard; it is joined when it is new.

        One that was abandoned is joined again when its publisher lists it again.
        """
        following = self.find(feed)
        if following is None or (following.is_abandoned and is_listed):
            following = self.join(feed, link, now_s)
        self._by_key.move_to_end(key_of(feed))
        following.link, following.unlisted_s = link, None
        if link.can_ask is not None:
            following.sequencer.catch_up = link.can_ask
        return following

    def join(self, feed: Feed, link: Link, now_s: float) -> Following:
        """Begin with a feed, or go on with one that was abandoned."""
        key = key_of(feed)
        before = self._by_key.pop(key, None)
        resume_at = before.sequencer.next_seq if before else self._resume.get(key[1])
        if len(self._by_key) >= MAX_FEEDS:
            crowded = self._of_the_most_crowded()
            self.abandon(crowded, FORGOTTEN, now_s)
            del self._by_key[key_of(crowded.feed)]
        sequencer = Sequencer[Received](
            self._start, resume_at, self._bounds, self._held
        )
        self._by_key[key] = following = Following(feed, sequencer, link)
        self.events.append(Joined(feed.stream, feed.content))
        return following

    def _of_the_most_crowded(self) -> Following:
        """Of the publisher with most feeds, the one that was heard least recently.

        So no publisher pushes out what another one sends.
        """
        crowds = Counter(following.link for following in self._by_key.values())
        link, _ = crowds.most_common(1)[0]
        return next(each for each in self._by_key.values() if each.link is link)

    def miss(self, following: Following, now_s: float) -> None:
        """A publisher's heartbeat does not list a feed that has not ended."""
        if following.unlisted_s is None:
            following.unlisted_s = now_s
        elif now_s - following.unlisted_s > GRACE_S:
            self.abandon(following, ABANDONED, now_s)

    def abandon(self, following: Following, reason: str, now_s: float) -> None:
        """No more will come of a feed that has not ended."""
        following.sequencer.abandon(reason)
        self.go_on(following, now_s)

    def go_on(self, following: Following, now_s: float) -> None:
        """Report what is in order now, and ask for what is missing."""
        for step in following.sequencer.steps(now_s):
            if isinstance(step, Ask):
                self.asked += 1
                following.link.say(Request(following.feed, step.first, step.last))
            else:
                following.is_abandoned = step == Finished(None)
                next_seq = following.sequencer.next_seq
                self.events.append(event_of(following.feed, step, next_seq))
