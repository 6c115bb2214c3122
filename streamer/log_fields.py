"""What a line of a log is about, in fields for programs; their names are the wire's."""

from collections.abc import Mapping

from streamer.frame import Stream

FIELDS = "fields"
"""Attribute of a log record that holds them."""


def of_frame(
    stream: Stream, seq: int, **found: int | float | str | list[str]
) -> Mapping[str, Mapping[str, object]]:
    """`extra` of a line about one frame."""
    identity = {"source": stream.source, "channel": stream.channel, "stream": stream.id}
    return {FIELDS: {**identity, "seq": seq, **found}}


def of_stream_id(stream_id: str, seq: int) -> Mapping[str, Mapping[str, object]]:
    """`extra` of a line about a frame of which no more than its key is known."""
    return {FIELDS: {"stream": stream_id, "seq": seq}}
