"""What a publisher says of what it has and has no more."""

from collections.abc import Callable

from streamer.catalogue import EVICTED, Catalogue
from streamer.frame import Stream
from streamer.messages import MAX_STREAMS, Content, Feed, Request, Unavailable
from streamer.retention import Retention


def test_a_feed_that_gives_way_while_it_is_asked_for_is_no_longer_kept(
    new_stream: Callable[[], Stream],
) -> None:
    catalogue = Catalogue(Retention(0))
    feed = Feed(Content.FRAME, new_stream())
    catalogue.announce(feed, 5)
    asked = catalogue.limit(Request(feed, 1, 9))
    assert asked == Request(feed, 1, 4)
    for _ in range(MAX_STREAMS):
        catalogue.announce(Feed(Content.FRAME, new_stream()), 1)
    assert catalogue.unavailable(asked) == Unavailable(feed, 1, 4, EVICTED)
