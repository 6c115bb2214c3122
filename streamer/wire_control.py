"""Messages that keep a feed whole, as header fields; they have no payload."""

from collections.abc import Mapping

from streamer.errors import WireError
from streamer.frame import Stream
from streamer.header import Fields
from streamer.messages import (
    MAX_STREAMS,
    Content,
    Done,
    End,
    Feed,
    FeedState,
    Heartbeat,
    Request,
    Unavailable,
)
from streamer.wire_state import MAX_REASON, plain, read_state, write_state

MAX_PORT = 65_535
MAX_PATH = 1024


def write_stream(stream: Stream) -> Mapping[str, object]:
    """Which stream a message belongs to."""
    return {"stream": stream.id, "source": stream.source, "channel": stream.channel}


def read_stream(fields: Fields) -> Stream:
    """Which stream a message belongs to."""
    return Stream(
        fields.identifier("stream"), fields.text("source"), fields.text("channel")
    )


def write_feed(feed: Feed) -> Mapping[str, object]:
    """Which feed a control message speaks of."""
    return {"content": feed.content, **write_stream(feed.stream)}


def read_feed(fields: Fields) -> Feed:
    """Which feed a control message speaks of."""
    return Feed(fields.choice("content", Content), read_stream(fields))


def write_heartbeat(heartbeat: Heartbeat) -> Mapping[str, object]:
    """Fields of a heartbeat."""
    state = heartbeat.state
    return {
        **({} if heartbeat.notice is None else {"notice": plain(heartbeat.notice)}),
        **({} if state is None else {"state": write_state(state)}),
        "catch_up": heartbeat.catch_up,
        "feeds": [
            {
                **write_feed(state.feed),
                "newest": state.newest,
                "first_kept": state.first_kept,
                "total": state.total,
            }
            for state in heartbeat.feeds
        ],
    }


def read_heartbeat(fields: Fields) -> Heartbeat:
    """A heartbeat.

    Raises
    ------
    WireError
        A field is missing, of the wrong type or out of range.
    """
    feeds = tuple(read_feed_state(each) for each in fields.maps("feeds", MAX_STREAMS))
    notice = fields.optional(lambda name: fields.text(name, MAX_REASON), "notice")
    state = fields.optional(lambda name: read_state(fields.inner(name)), "state")
    return Heartbeat(read_catch_up(fields), feeds, notice, state)


def read_catch_up(fields: Fields) -> int | str | None:
    """TCP port, ipc path, or None where nothing can be asked for."""
    if isinstance(fields.values.get("catch_up"), str):
        return fields.text("catch_up", MAX_PATH)
    return fields.optional(lambda name: fields.integer(name, 1, MAX_PORT), "catch_up")


def read_feed_state(fields: Fields) -> FeedState:
    """How far a feed has come."""
    return FeedState(
        feed=read_feed(fields),
        newest=fields.seq("newest", -1),
        first_kept=fields.count("first_kept"),
        total=fields.optional(fields.count, "total"),
    )


def read_end(fields: Fields) -> End:
    """The end of a feed."""
    return End(read_feed(fields), fields.count("total"))


def read_request(fields: Fields) -> Request:
    """A request for what was missed."""
    return Request(read_feed(fields), *read_range(fields))


def write_unavailable(message: Unavailable) -> Mapping[str, object]:
    """Fields of the answer that something cannot be had."""
    return {
        **write_feed(message.feed),
        "first": message.first,
        "last": message.last,
        "reason": plain(message.reason),
    }


def read_unavailable(fields: Fields) -> Unavailable:
    """The answer that something cannot be had."""
    first, last = read_range(fields)
    reason = fields.text("reason", MAX_REASON)
    return Unavailable(read_feed(fields), first, last, reason)


def read_range(fields: Fields) -> tuple[int, int]:
    """`first` and `last`, in order.

    Raises
    ------
    WireError
        They are not integers of 0 or more, or `last` comes before `first`.
    """
    first, last = fields.seq("first"), fields.seq("last")
    if last < first:
        raise WireError(f"{fields.where}: a range from {first} to {last}")
    return first, last


def write_done(message: Done) -> Mapping[str, object]:
    """Fields of a subscriber's word that it has everything."""
    return {
        "subscriber": message.subscriber,
        "finished": [
            {"content": content, "stream": stream_id}
            for content, stream_id in message.finished
        ],
        "leaving": message.leaving,
    }


def read_done(fields: Fields) -> Done:
    """A subscriber's word that it has everything."""
    finished = fields.maps("finished", MAX_STREAMS)
    return Done(
        subscriber=fields.identifier("subscriber"),
        finished=tuple(
            (feed.choice("content", Content), feed.identifier("stream"))
            for feed in finished
        ),
        leaving=fields.truth("leaving"),
    )
