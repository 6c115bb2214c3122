"""What publishers' heartbeats say to a subscriber, and what silence does."""

import math
from collections.abc import Sequence

from streamer.catalogue import key_of
from streamer.events import Notice, Silent, Stands
from streamer.following import Followings
from streamer.link import Link
from streamer.messages import Heartbeat

SILENT_S = 3.0
"""Three heartbeats that did not come."""
UNHEARD_S = 10.0
"""As long of a publisher that was never heard: both may be starting just now."""
UNANSWERED = 3
"""Requests without an answer after which the connection for them is made anew."""


class Attending:
    """Attends to whether publishers are there, and to what they say they have.

    Parameters
    ----------
    topics
        Prefixes of what is wanted.
    feeds
        Those that are followed.
    """

    def __init__(self, topics: Sequence[str], feeds: Followings) -> None:
        self._topics, self._feeds = tuple(topics), feeds

    def heartbeat(self, link: Link, heartbeat: Heartbeat, now_s: float) -> None:
        """A publisher says what it has, and so also what it has no more.

        Raises
        ------
        WireError
            It says that it can be asked where it cannot be.
        """
        if heartbeat.state != link.state:
            link.state = heartbeat.state
            self._feeds.events.append(Stands(link.url, heartbeat.state))
        if heartbeat.notice != link.notice:
            link.notice = heartbeat.notice
            self._feeds.events.append(Notice(link.url, heartbeat.notice))
        link.ask_at(heartbeat.catch_up)
        link.feeds = heartbeat.feeds
        for state in heartbeat.feeds:
            if state.feed.topic.startswith(self._topics):
                following = self._feeds.follow(state.feed, link, now_s, is_listed=True)
                following.sequencer.hear(state.newest, state.total, now_s)
                self._feeds.go_on(following, now_s)
        listed = {key_of(state.feed) for state in heartbeat.feeds}
        for following in self._feeds.unfinished(link):
            if key_of(following.feed) not in listed:
                self._feeds.miss(following, now_s)

    def idle(self, link: Link, now_s: float) -> None:
        """Nothing has come from a publisher: time-outs count only now."""
        awaits_answer = any(
            following.sequencer.is_asking for following in self._feeds.unfinished(link)
        )
        silence_s = link.silence_s(now_s, awaits_answer=awaits_answer)
        if silence_s > self._patience_s(link) and link.is_heard is not False:
            link.is_heard = False
            self._feeds.events.append(Silent(link.url, silence_s, link.failure()))
        for following in self._feeds.unfinished(link):
            before = following.sequencer.unanswered
            following.sequencer.expire(now_s)
            unanswered = following.sequencer.unanswered
            if unanswered > before and unanswered % UNANSWERED == 0:
                link.ask_anew()
            self._feeds.go_on(following, now_s)

    def _patience_s(self, link: Link) -> float:
        """Silence that is no news.

        All of it where every stream has ended: such a source may go. A service stays,
        also between two streams.
        """
        if link.is_heard is None:
            return UNHEARD_S
        is_service = link.state is not None
        is_over = any(link.feeds) and not self._feeds.unfinished(link)
        return math.inf if is_over and not is_service else SILENT_S
