"""What a subscriber tells publishers of the feeds of which it needs nothing more."""

from collections.abc import Sequence

from streamer.catalogue import key_of
from streamer.events import Ended
from streamer.following import Following, Followings
from streamer.link import Link
from streamer.messages import Done, Feed, FeedState


class Acknowledging:
    """Ends that were handed over, and whether they have been taken care of.

    Parameters
    ----------
    name
        What publishers know the subscriber by.
    topics
        Prefixes of what it wants; of other feeds it needs nothing.
    feeds
        Those that it follows.
    """

    def __init__(self, name: str, topics: Sequence[str], feeds: Followings) -> None:
        self._name, self._topics, self._feeds = name, tuple(topics), feeds
        self._handed: list[Following] = []

    def hand_over(self, ended: Ended) -> None:
        """The caller is told of an end."""
        following = self._feeds.find(Feed(ended.content, ended.stream))
        self._handed += [following] if following else []

    def put_off(self, ended: Ended) -> None:
        """It could not take care of it yet."""
        feed = Feed(ended.content, ended.stream)
        self._handed = [each for each in self._handed if each.feed != feed]

    def acknowledge(self) -> None:
        """It has taken care of all that it was handed."""
        for following in self._handed:
            following.is_taken = True
            self.say_done(following.link)
        self._handed.clear()

    def say_done(self, link: Link) -> None:
        """Tell a publisher of which of its ended feeds nothing more is wanted."""
        finished = tuple(
            key_of(state.feed) for state in link.feeds if self._has_all(state)
        )
        if finished:
            link.say(Done(self._name, finished))

    def say_goodbye(self, link: Link) -> None:
        """Tell a publisher that nobody is here any more."""
        link.say(Done(self._name, (), leaving=True))

    def _has_all(self, state: FeedState) -> bool:
        following = self._feeds.find(state.feed)
        is_taken = following is not None and following.is_taken
        is_wanted = state.feed.topic.startswith(self._topics)
        return state.total is not None and (is_taken or not is_wanted)
