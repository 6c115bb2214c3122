"""What does not follow the protocol is refused by name, and costs nothing."""

import dataclasses
import math
import tracemalloc
import zlib
from collections.abc import Callable

import msgpack
import numpy as np
import pytest

from streamer.analysis import Analysis, Flag, ModelId, Preview, Summary
from streamer.atoms import FIXED_COLUMNS, Atoms
from streamer.errors import WireError
from streamer.frame import Completeness, Frame, Stream
from streamer.header import MAX_HEADER_BYTES
from streamer.messages import Content, End, Feed, Heartbeat, Message, Request
from streamer.wire import Buffer, Parts, pack, unpack

STREAM = Stream("5f0c", "SuperScan", "HAADF")
FRAME = Frame(STREAM, 7, np.arange(12, dtype=np.uint16).reshape(3, 4))
FEED = Feed(Content.FRAME, STREAM)
STATE = {
    "session": "today",
    "received": 5,
    "committed": 5,
    "waiting": 3,
    "aside": 0,
    "recorded": "yes",
}
SIDES = "expected an integer from 1 to 16384"

ANALYSIS = Analysis(
    stream=STREAM,
    seq=7,
    model=ModelId("compact", "ab", ("crystallinity",), 2.0),
    provider="CPUExecutionProvider",
    shape=(3, 4),
    pixel_size_nm=0.5,
    origin_nm=(0.0, 0.0),
    time_s=1.0,
    dose_e_nm2=math.nan,
    completeness=Completeness.COMPLETE,
    flags=(Flag.PARTIAL,),
    atoms=Atoms.none(("crystallinity",)),
    summary=Summary({"C": 0}, 1.0, 0.0, 1.0, math.nan, math.nan),
    stages_ms={"segment": 1.5},
    latency_s=0.1,
    preview=Preview(np.zeros((3, 4), np.uint8), 0.0, 1.0),
)


def tampered(message: Message, **changes: object) -> Parts:
    """Parts of `message` with header fields changed; `...` removes one."""
    topic, header, payload = pack(message, 5)
    fields = msgpack.unpackb(header) | changes
    kept = {key: value for key, value in fields.items() if value is not ...}
    return topic, msgpack.packb(kept), payload


def test_fields_of_a_later_version_are_ignored() -> None:
    received = unpack(tampered(FRAME, tilt_rad=0.1)).message
    assert isinstance(received, Frame)
    assert received.seq == FRAME.seq


def test_a_whole_number_stands_for_a_real_one() -> None:
    received = unpack(tampered(FRAME, pixel_size_nm=1)).message
    assert isinstance(received, Frame)
    assert isinstance(received.pixel_size_nm, float)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        pytest.param([], "a message of 0 parts, expected 3", id="nothing"),
        pytest.param([b""] * 4, "a message of 4 parts, expected 3", id="four parts"),
        pytest.param(
            [b"t" * 9000, b"", b""],
            "a topic of 9000 bytes, expected no more than 8192",
            id="long topic",
        ),
        pytest.param(
            [b"t", b"\x80" * (MAX_HEADER_BYTES + 1), b""],
            "a header of 262145 bytes, expected no more than 262144",
            id="long header",
        ),
        pytest.param(
            [b"t", b"\x91" * 10_000, b""],
            "a header that is not msgpack: StackError",
            id="deep header",
        ),
        pytest.param(
            [b"t", b"\xdd\xff\xff\xff\xff", b""],
            "a header that is not msgpack: 4294967295 exceeds max_array_len(16384)",
            id="list of 4 billion",
        ),
        pytest.param(
            [b"t", b"\xd6\xff\x00\x00\x00\x00", b""],
            "a header that is not msgpack: 5 exceeds max_ext_len(0)",
            id="msgpack time stamp",
        ),
        pytest.param(
            [b"t", b"\xc7\x00\x05", b""],
            "msgpack extension 5 of 0 bytes, expected none",
            id="empty msgpack extension",
        ),
        pytest.param(
            [b"t", b"\xc4\x01a", b""],
            "a header that is not msgpack: 1 exceeds max_bin_len(0)",
            id="bytes in the header",
        ),
        pytest.param(
            [b"t", b"\x93\x01\x02\x03", b""],
            "a header that is a list, expected a map",
            id="list as header",
        ),
        pytest.param(
            tampered(FRAME, v=2),
            "protocol version 2, expected 1; source and receiver must run versions of "
            "atomstream that fit",
            id="later version",
        ),
        pytest.param(
            tampered(FRAME, v=...),
            "header: v is missing, expected an integer",
            id="no version",
        ),
        pytest.param(
            tampered(FRAME, kind="picture"),
            "header: kind is 'picture' (str), expected one of frame, analysis, "
            "heartbeat, end, request, unavailable, done",
            id="unknown kind",
        ),
        pytest.param(
            tampered(FRAME, bytes=23),
            "a payload of 24 bytes, expected 23 for its header",
            id="payload of another length",
        ),
        pytest.param(
            (*pack(FRAME, 0)[:2], b"?" * 24),
            "a payload of crc32 1639377453, expected 2977032879: it changed on the way",
            id="payload that changed on the way",
        ),
        pytest.param(
            tampered(FRAME, xxh3="0" * 16),
            "a payload of xxh3 'a078b8268f15cf2b', expected '0000000000000000': "
            "it changed on the way",
            id="payload with another XXH3",
        ),
        pytest.param(
            tampered(FRAME, xxh3=12),
            "header: xxh3 is 12 (int), expected text of at most 256 characters",
            id="XXH3 as a number",
        ),
        pytest.param(
            tampered(FRAME, crc32=...),
            "header: crc32 is missing, expected an integer",
            id="no checksum",
        ),
        pytest.param(
            (b"frame/SuperScan/BF", *pack(FRAME, 0)[1:]),
            "topic b'frame/SuperScan/BF', expected 'frame/SuperScan/HAADF'",
            id="topic of another message",
        ),
        pytest.param(
            tampered(FRAME, seq=-1),
            "frame header: seq is -1 (int), expected an integer from 0 to "
            "9223372036854775806",
            id="negative seq",
        ),
        pytest.param(
            tampered(FRAME, seq=True),
            "frame header: seq is True (bool), expected an integer",
            id="truth as seq",
        ),
        pytest.param(
            tampered(FRAME, stream="../x"),
            "frame header: stream is '../x' (str), expected 1 to 64 letters, digits, "
            "'_', '-' or '.'",
            id="stream id that climbs out of a folder",
        ),
        pytest.param(
            tampered(FRAME, channel="c" * 257),
            "frame header: channel is 'cccccccccccc...ccccccccccccc' (str), expected "
            "text of at most 256 characters",
            id="long channel",
        ),
        pytest.param(
            tampered(FRAME, shape=[100_000, 100_000]),
            f"frame header, shape: item 0 is 100000 (int), {SIDES}",
            id="10 GB",
        ),
        pytest.param(
            tampered(FRAME, shape=[-1, 4]),
            f"frame header, shape: item 0 is -1 (int), {SIDES}",
            id="negative shape",
        ),
        pytest.param(
            tampered(FRAME, shape=[12]),
            "frame header: shape is [12] (list), expected 2 items",
            id="one-dimensional",
        ),
        pytest.param(
            tampered(FRAME, shape=[4, 4]),
            "a payload of 24 bytes, expected 32 for 4 x 4 uint16",
            id="shape larger than the payload",
        ),
        pytest.param(
            tampered(FRAME, dtype="object"),
            "frame header: dtype is 'object' (str), expected one of float16, float32, "
            "float64, int16, int32, int8, uint16, uint32, uint8",
            id="objects",
        ),
        pytest.param(
            tampered(FRAME, pixel_size_nm=0),
            "frame header: a pixel size of 0.0 nm; expected more than 0",
            id="no pixel size",
        ),
        pytest.param(
            tampered(FRAME, origin_nm=[0.0, math.nan]),
            "frame header: origin (0.0, nan) nm is not finite",
            id="origin nowhere",
        ),
        pytest.param(
            tampered(FRAME, valid_rows=4),
            "frame header: valid_rows is 4 (int), expected an integer from 0 to 3",
            id="more rows than there are",
        ),
        pytest.param(
            tampered(FRAME, completeness="nearly"),
            "frame header: completeness is 'nearly' (str), expected one of complete, "
            "partial, aborted",
            id="unknown completeness",
        ),
        pytest.param(
            tampered(FRAME, dwell_time_us="4"),
            "frame header: dwell_time_us is '4' (str), expected a number",
            id="text as number",
        ),
        pytest.param(
            tampered(FRAME, metadata={"a": [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}),
            f"frame header, metadata.a{'[]' * 16}: nested more than 16 levels deep",
            id="deep metadata",
        ),
        pytest.param(
            tampered(End(FEED, 1), total=None),
            "end header: total is None (NoneType), expected an integer",
            id="end without a total",
        ),
        pytest.param(
            (*tampered(End(FEED, 1), bytes=1, crc32=zlib.crc32(b"x"))[:2], b"x"),
            "a payload of 1 bytes, expected 0 for kind end",
            id="end with a payload",
        ),
        pytest.param(
            tampered(Request(FEED, 3, 4), last=2),
            "request header: a range from 3 to 2",
            id="range backwards",
        ),
        pytest.param(
            tampered(Heartbeat(None, ()), catch_up=65_536),
            "heartbeat header: catch_up is 65536 (int), expected an integer from 1 to "
            "65535",
            id="port out of range",
        ),
        pytest.param(
            tampered(Heartbeat(None, ()), state={**STATE, "waiting": -1}),
            "heartbeat header, state: waiting is -1 (int), expected an integer from 0 "
            "to 9223372036854775807",
            id="negative backlog",
        ),
        pytest.param(
            tampered(Heartbeat(None, ()), state={**STATE, "recorded": "perhaps"}),
            "heartbeat header, state: recorded is 'perhaps' (str), expected one of "
            "yes, no, off",
            id="recorded or not",
        ),
        pytest.param(
            tampered(Heartbeat(None, ()), state={**STATE, "bytes_per_s": math.inf}),
            "heartbeat header, state: bytes_per_s is inf (float), expected a finite "
            "number of 0 or more",
            id="infinite rate",
        ),
        pytest.param(
            tampered(Heartbeat(None, ()), state=[]),
            "heartbeat header: state is [] (list), expected a map of at most 16384 "
            "fields",
            id="state that is none",
        ),
        pytest.param(
            tampered(ANALYSIS, atoms=2_000_001),
            "analysis header: atoms is 2000001 (int), expected an integer from 0 to "
            "2000000",
            id="too many atoms",
        ),
        pytest.param(
            tampered(ANALYSIS, atoms=1),
            "a payload of 12 bytes, expected 58 for 1 atoms and a preview",
            id="atoms that are not there",
        ),
        pytest.param(
            tampered(ANALYSIS, columns=[{"name": "row_px", "dtype": "float32"}]),
            "analysis header: columns is [{'dtype': 'float32', 'name': 'row_px'}] "
            f"(list), expected each of {', '.join(FIXED_COLUMNS)} once",
            id="columns missing",
        ),
        pytest.param(
            tampered(ANALYSIS, flags=["fine"]),
            "analysis header, flags: item 0 is 'fine' (str), expected one of "
            + ", ".join(Flag),
            id="unknown flag",
        ),
        pytest.param(
            tampered(ANALYSIS, preview={"shape": [1025, 4], "low": 0.0, "high": 0.0}),
            "analysis header, preview, shape: item 0 is 1025 (int), expected an "
            "integer from 0 to 1024",
            id="large preview",
        ),
    ],
)
def test_what_is_wrong_is_named(parts: list[Buffer], reason: str) -> None:
    with pytest.raises(WireError) as error:
        unpack(parts)
    assert str(error.value) == reason


def nested(width: int, depth: int) -> object:
    return [nested(width, depth - 1) for _ in range(width)] if depth else "x" * 20


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"seq": nested(6, 6)}, id="lists of lists as a number"),
        pytest.param({"shape": [nested(6, 6), 4]}, id="the same as an item"),
        pytest.param({"dtype": {"a" * 60_000: "b" * 60_000}}, id="a map as a name"),
        pytest.param(
            {"metadata": {"a": {"b" * 60_000: {"c" * 60_000: nested(1, 17)}}}},
            id="long names on the way to what is too deep",
        ),
    ],
)
def test_what_is_wrong_is_named_in_few_words(changes: dict[str, object]) -> None:
    with pytest.raises(WireError) as error:
        unpack(tampered(FRAME, **changes))
    assert len(str(error.value)) < 1000


def test_long_names_are_not_copied_for_each_item_beneath_them() -> None:
    long = {"b" * 60_000: {"c" * 60_000: {"d" * 60_000: [0] * 16_000}}}
    parts = tampered(FRAME, metadata={"a": long})
    tracemalloc.start()
    assert isinstance(unpack(parts).message, Frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The names once each, and the list twice.
    assert peak < 0.7 * 2**20


@pytest.mark.parametrize(
    ("message", "field"),
    [
        pytest.param(FRAME, "seq", id="frame"),
        pytest.param(ANALYSIS, "seq", id="analysis"),
        pytest.param(Request(FEED, 3, 4), "last", id="request"),
    ],
)
def test_a_number_that_cannot_be_counted_to_is_refused(
    message: Message, field: str
) -> None:
    assert unpack(tampered(message, **{field: 2**63 - 2}))
    with pytest.raises(WireError, match="expected an integer from 0 to"):
        unpack(tampered(message, **{field: 2**63 - 1}))


@pytest.mark.parametrize(
    ("column", "code", "reason"),
    [
        pytest.param(
            "species", 2, "column species holds 2, expected 0 to 1", id="species"
        ),
        pytest.param("edge", 255, "column edge holds 255, expected 0 to 1", id="edge"),
    ],
)
def test_codes_that_stand_for_nothing(column: str, code: int, reason: str) -> None:
    columns = {name: np.zeros(1, dtype) for name, dtype in FIXED_COLUMNS.items()}
    columns[column].view(np.uint8)[0] = code
    bad = dataclasses.replace(ANALYSIS, atoms=Atoms.from_columns(columns))
    with pytest.raises(WireError) as error:
        pack(bad, 0)
    assert str(error.value) == reason


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(lambda: [b"t", b"\x91" * 250_000, b""], id="nesting"),
        pytest.param(lambda: [b"t", b"\xdf\xff\xff\xff\xff", b""], id="4 billion keys"),
        pytest.param(lambda: [b""] * 1_000_000, id="a million parts"),
        pytest.param(
            lambda: [*tampered(FRAME, shape=[16_384, 16_384])], id="16384 x 16384"
        ),
        pytest.param(lambda: [b"t", b"\xdb\xff\xff\xff\xff", b""], id="4 GB of text"),
        pytest.param(lambda: [*tampered(ANALYSIS, atoms=2_000_000)], id="atoms"),
    ],
)
def test_a_bomb_costs_nothing(bomb: Callable[[], list[Buffer]]) -> None:
    parts = bomb()
    tracemalloc.start()
    with pytest.raises(WireError):
        unpack(parts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20
