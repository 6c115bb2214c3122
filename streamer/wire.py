"""Messages as the parts that travel, and back: protocol version 1, without sockets.

Three parts: topic | header (msgpack map) | payload (raw little-endian C order).
`docs/wire-format.md` is the specification; what is not in it does not exist.
Whatever arrives, `unpack` gives a valid message or raises `WireError`, and it reads
no more of a message than its limits allow.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from streamer.analysis import Analysis
from streamer.checksum import check, checksum_of
from streamer.errors import WireError
from streamer.frame import Frame
from streamer.header import Fields, check_size, decode, encode
from streamer.messages import (
    Done,
    End,
    Envelope,
    Heartbeat,
    Message,
    Request,
    Unavailable,
    topic_of,
)
from streamer.wire_analysis import read_analysis, write_analysis
from streamer.wire_control import (
    read_done,
    read_end,
    read_heartbeat,
    read_request,
    read_stream,
    read_unavailable,
    write_done,
    write_feed,
    write_heartbeat,
    write_stream,
    write_unavailable,
)
from streamer.wire_frame import check_length, read_frame, write_frame

VERSION = 1
PARTS = 3
MAX_TOPIC_BYTES = 8192
MAX_PAYLOAD_BYTES = 2**31
"""A frame of 16384² pixels of 8 bytes."""

Buffer: TypeAlias = bytes | memoryview
Parts: TypeAlias = tuple[bytes, bytes, memoryview]


def pack(message: Message, sent_ns: int) -> Parts:
    """Topic, header and payload of `message`, sent at `sent_ns` (ns since 1970 UTC).

    The payload of a frame is the memory of its image, which must not change until
    the parts have been sent.

    Raises
    ------
    WireError
        The message could not be read at the other end: a limit is exceeded, or
        metadata is not JSON.
    """
    kind, values, payload = write(message)
    header = encode(
        {
            "v": VERSION,
            "kind": kind,
            "bytes": len(payload),
            **checksum_of(payload),
            "sent_ns": sent_ns,
            **values,
        }
    )
    topic = topic_of(message).encode()
    # Nothing leaves that the same limits would refuse on arrival.
    read(topic, decode(header), payload)
    return topic, header, payload


def unpack(parts: Sequence[Buffer]) -> Envelope:
    """The message of three parts; its arrays are read-only views of the payload.

    Raises
    ------
    WireError
        Anything else than a message of this protocol, or a payload that changed on
        the way. The text names what was wrong.
    """
    if len(parts) != PARTS:
        raise WireError(f"a message of {len(parts)} parts, expected {PARTS}")
    topic, header, payload = (memoryview(part).toreadonly() for part in parts)
    check_size(topic, MAX_TOPIC_BYTES, "topic")
    fields = decode(header)
    check_version(fields)
    check_length(payload, fields.count("bytes", MAX_PAYLOAD_BYTES), "its header")
    check(payload, fields)
    return read(bytes(topic), fields, payload)


def check_version(fields: Fields) -> None:
    """Refuse another protocol version.

    Raises
    ------
    WireError
        The message is of a version that this program does not speak.
    """
    version = fields.count("v")
    if version != VERSION:
        raise WireError(
            f"protocol version {version}, expected {VERSION}; "
            "source and receiver must run versions of atomstream that fit"
        )


def write(message: Message) -> tuple[str, Mapping[str, object], memoryview]:
    """Kind, own header fields and payload of `message`."""
    nothing = memoryview(b"")
    match message:
        case Frame():
            fields, payload = write_frame(message)
            return "frame", {**carried_fields(message), **fields}, payload
        case Analysis():
            fields, payload = write_analysis(message)
            return "analysis", {**carried_fields(message), **fields}, payload
        case Heartbeat():
            return "heartbeat", write_heartbeat(message), nothing
        case End(feed, total):
            return "end", {**write_feed(feed), "total": total}, nothing
        case Request(feed, first, last):
            fields = {**write_feed(feed), "first": first, "last": last}
            return "request", fields, nothing
        case Unavailable():
            return "unavailable", write_unavailable(message), nothing
        case Done():
            return "done", write_done(message), nothing


def carried_fields(message: Frame | Analysis) -> Mapping[str, object]:
    """Stream and position of a frame or an analysis."""
    return {**write_stream(message.stream), "seq": message.seq}


def read(topic: bytes, fields: Fields, payload: memoryview) -> Envelope:
    """The message of a header and a payload that belong together.

    Raises
    ------
    WireError
        A field that is missing or wrong, an unknown kind, another message's topic.
    """
    kind = fields.text("kind")
    if kind not in KINDS:
        raise fields.unexpected("kind", "one of " + ", ".join(KINDS))
    named = Fields(fields.values, f"{kind} header")
    message = read_message(kind, named, payload)
    if topic_of(message).encode() != topic:
        raise WireError(f"topic {topic[:80]!r}, expected {topic_of(message)!r}")
    return Envelope(message, named.integer("sent_ns"))


def read_message(kind: str, fields: Fields, payload: memoryview) -> Message:
    """The message of `kind`."""
    if kind == "frame":
        return read_frame(read_stream(fields), fields.seq("seq"), fields, payload)
    if kind == "analysis":
        return read_analysis(read_stream(fields), fields.seq("seq"), fields, payload)
    check_length(payload, 0, f"kind {kind}")
    return _CONTROL[kind](fields)


_CONTROL: Mapping[str, Callable[[Fields], Message]] = {
    "heartbeat": read_heartbeat,
    "end": read_end,
    "request": read_request,
    "unavailable": read_unavailable,
    "done": read_done,
}

KINDS = ("frame", "analysis", *_CONTROL)
