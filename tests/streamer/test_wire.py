"""What travels arrives unchanged, and nothing else gets in."""

import dataclasses
import math
import struct
from collections.abc import Mapping

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.analysis import Analysis, Flag, ModelId, Preview, Summary
from streamer.atoms import FIXED_COLUMNS, SPECIES, Atoms
from streamer.errors import WireError
from streamer.frame import DTYPES, Completeness, Frame, Stream
from streamer.messages import (
    Content,
    Done,
    End,
    Envelope,
    Feed,
    FeedState,
    Heartbeat,
    Message,
    Request,
    Unavailable,
)
from streamer.service_state import Recorded, ServiceState
from streamer.wire import pack, unpack

STREAM = Stream("5f0c", "SuperScan", "HAADF")
FRAME = Frame(STREAM, 7, np.arange(12, dtype=np.uint16).reshape(3, 4))
FEED = Feed(Content.FRAME, STREAM)

names = st.text(max_size=12)
floats = st.floats(width=64)
counts = st.integers(0, 2**63 - 1)
seqs = st.integers(0, 2**63 - 2)
ids = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}", fullmatch=True)
streams = st.builds(Stream, ids, names, names)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | floats | names,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
    ),
    max_leaves=8,
)
sizes = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
periods = st.floats(min_value=0, exclude_min=True, max_value=2 * math.pi)
positions = st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 2)
sides = st.integers(1, 6)
times = st.none() | st.integers(-(2**63), 2**63 - 1)


def any_bits(
    draw: st.DrawFn, dtype: np.dtype[np.generic], *shape: int
) -> NDArray[np.generic]:
    """An array of any bits at all, among them every kind of NaN."""
    size = math.prod(shape) * dtype.itemsize
    return np.frombuffer(draw(st.binary(min_size=size, max_size=size)), dtype).reshape(
        shape
    )


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    dtype = draw(st.sampled_from(sorted(DTYPES, key=str)))
    image = any_bits(draw, dtype, draw(sides), draw(sides))
    return Frame(
        stream=draw(streams),
        seq=draw(seqs),
        image=image,
        pixel_size_nm=draw(st.none() | sizes),
        origin_nm=draw(positions),
        start_ns=draw(times),
        end_ns=draw(times),
        dwell_time_us=draw(st.none() | floats),
        dose_e_nm2=draw(st.none() | floats),
        completeness=draw(st.sampled_from(Completeness)),
        valid_rows=draw(st.integers(0, len(image))),
        metadata=draw(st.dictionaries(names, json_values, max_size=3)),
    )


@st.composite
def atoms(draw: st.DrawFn) -> Atoms:
    count = draw(st.integers(0, 5))
    latents = draw(st.lists(names, max_size=3, unique=True))
    columns = {
        name: any_bits(draw, FIXED_COLUMNS.get(name, np.dtype(np.float32)), count)
        for name in [*FIXED_COLUMNS, *latents]
    }
    columns["species"] = columns["species"] % len(SPECIES)
    columns["edge"] = columns["edge"].view(np.uint8) % 2 == 1
    return Atoms.from_columns(columns)


@st.composite
def previews(draw: st.DrawFn) -> Preview:
    image = any_bits(draw, np.dtype(np.uint8), draw(sides), draw(sides))
    return Preview(image, draw(floats), draw(floats))


analyses = st.builds(
    Analysis,
    stream=streams,
    seq=seqs,
    model=st.builds(ModelId, names, names, st.lists(names).map(tuple), periods),
    provider=names,
    shape=st.tuples(st.integers(1, 16_384), st.integers(1, 16_384)),
    pixel_size_nm=st.none() | sizes,
    origin_nm=st.tuples(floats, floats),
    time_s=floats,
    dose_e_nm2=floats,
    completeness=st.sampled_from(Completeness),
    flags=st.lists(st.sampled_from(Flag), max_size=len(Flag)).map(tuple),
    atoms=atoms(),
    summary=st.builds(
        Summary,
        st.dictionaries(st.sampled_from(SPECIES), counts),
        *[floats] * 5,
    ),
    stages_ms=st.dictionaries(names, floats, max_size=4),
    latency_s=floats,
    preview=previews(),
)

feeds = st.builds(Feed, st.sampled_from(Content), streams)
ranges = st.tuples(seqs, seqs).map(sorted)
states = st.builds(
    ServiceState,
    names,
    *[counts] * 4,
    st.sampled_from(Recorded),
    st.none() | names,
    st.none() | counts,
    st.none() | st.floats(0, allow_nan=False, allow_infinity=False),
)
controls = st.one_of(
    st.builds(
        Heartbeat,
        st.none() | st.integers(1, 65_535) | names,
        st.lists(
            st.builds(
                FeedState, feeds, st.integers(-1, 2**63 - 2), counts, st.none() | counts
            ),
            max_size=3,
        ).map(tuple),
        st.none() | names,
        st.none() | states,
    ),
    st.builds(End, feeds, counts),
    st.builds(lambda feed, pair: Request(feed, *pair), feeds, ranges),
    st.builds(
        lambda feed, pair, why: Unavailable(feed, *pair, why), feeds, ranges, names
    ),
    st.builds(
        Done,
        ids,
        st.lists(st.tuples(st.sampled_from(Content), ids), max_size=3).map(tuple),
        st.booleans(),
    ),
)
messages = frames() | analyses | controls


def bits(value: object) -> object:
    """`value` in a form that is equal exactly when every bit is."""
    match value:
        case np.ndarray():
            return value.dtype, value.shape, value.tobytes()
        case float():
            return struct.pack("<d", value)
        case Mapping():
            return [(key, bits(item)) for key, item in value.items()]
        case list() | tuple():
            return [bits(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return [
                bits(getattr(value, field.name)) for field in dataclasses.fields(value)
            ]
        case _:
            return value


@given(messages, st.integers(-(2**63), 2**63 - 1))
def test_a_message_arrives_bit_for_bit(message: Message, sent_ns: int) -> None:
    envelope = unpack(pack(message, sent_ns))
    assert bits(envelope) == bits(Envelope(message, sent_ns))


@given(messages)
def test_arrays_that_arrive_are_read_only_and_aligned(message: Message) -> None:
    received = unpack([bytes(part) for part in pack(message, 0)]).message
    match received:
        case Frame():
            arrays = [received.image]
        case Analysis():
            arrays = [*received.atoms.columns().values(), received.preview.image]
        case _:
            arrays = []
    assert not any(array.flags.writeable for array in arrays)
    assert all(array.flags.aligned for array in arrays)


def test_an_image_is_sent_and_received_without_a_copy() -> None:
    payload = pack(FRAME, 0)[2]
    assert np.shares_memory(np.frombuffer(payload, np.uint16), FRAME.image)
    buffer = bytes(payload)
    received = unpack([*pack(FRAME, 0)[:2], buffer]).message
    assert isinstance(received, Frame)
    assert np.shares_memory(received.image, np.frombuffer(buffer, np.uint8))


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.arange(12, dtype="i2").reshape(3, 4).T, id="transposed"),
        pytest.param(
            np.arange(24, dtype="i2").reshape(6, 4)[::2], id="every other row"
        ),
    ],
)
def test_an_image_of_any_layout_travels(image: NDArray[np.int16]) -> None:
    received = unpack(pack(Frame(STREAM, 0, image), 0)).message
    assert isinstance(received, Frame)
    assert received.image.tolist() == image.tolist()


def test_a_small_message_at_an_odd_address_is_aligned() -> None:
    topic, header, payload = pack(FRAME, 0)
    odd = memoryview(b"?" + bytes(payload))[1:]
    received = unpack([topic, header, odd]).message
    assert isinstance(received, Frame)
    assert received.image.flags.aligned
    assert not received.image.flags.writeable


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        pytest.param(FRAME, b"frame/SuperScan/HAADF", id="frame"),
        pytest.param(End(FEED, 3), b"frame/SuperScan/HAADF", id="end"),
        pytest.param(
            Request(Feed(Content.ANALYSIS, Stream("a", "50%", "C/D")), 0, 0),
            b"analysis/50%25/C%2FD",
            id="names that could be mistaken for a path",
        ),
        pytest.param(Heartbeat(None, ()), b"heartbeat", id="heartbeat"),
        pytest.param(Done("me", ()), b"subscriber/me", id="done"),
    ],
)
def test_topics_can_be_read_and_filtered(message: Message, topic: bytes) -> None:
    assert pack(message, 0)[0] == topic


def outcome(parts: list[bytes]) -> Envelope | None:
    """The message, or None for the one error that is allowed."""
    try:
        return unpack(parts)
    except WireError:
        return None


@given(messages, st.data())
def test_a_changed_byte_gives_a_message_or_a_wire_error(
    message: Message, data: st.DataObject
) -> None:
    parts = [bytearray(part) for part in pack(message, 0)]
    for _ in range(data.draw(st.integers(1, 4))):
        part = data.draw(st.sampled_from(parts))
        at = data.draw(st.integers(0, len(part)))
        part[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    outcome([bytes(part) for part in parts])


@given(messages, st.data())
def test_a_changed_field_gives_a_message_or_a_wire_error(
    message: Message, data: st.DataObject
) -> None:
    topic, header, payload = pack(message, 0)
    fields = msgpack.unpackb(header)
    paths = [(fields, key) for key in fields] + [
        (inner, key)
        for value in fields.values()
        for inner in (value if isinstance(value, list) else [value])
        if isinstance(inner, dict)
        for key in inner
    ]
    owner, key = data.draw(st.sampled_from(paths))
    owner[key] = data.draw(json_values)
    outcome([topic, msgpack.packb(fields), bytes(payload)])


@given(st.lists(st.binary(max_size=64), max_size=5))
def test_random_parts_give_a_message_or_a_wire_error(parts: list[bytes]) -> None:
    outcome(parts)
