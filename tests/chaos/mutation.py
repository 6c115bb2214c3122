"""Messages that nobody should send, made of those that everybody may send."""

import random
import struct
import zlib
from collections.abc import Callable, Mapping

import msgpack

from streamer.wire import Buffer, pack
from tests.streamer.test_wire_vectors import MESSAGES

type Parts = list[bytes]


def nested(depth: int, width: int = 1) -> object:
    """Lists within lists."""
    return [nested(depth - 1, width)] * width if depth else 0


HOSTILE: tuple[object, ...] = (
    None, True, False, -1, 0, 1, 2**31, 2**53 + 1, 2**63 - 2, 2**63 - 1, 2**64 - 1,
    -(2**63), 0.5, float("nan"), float("inf"), -float("inf"), 1e308, 5e-324,
    "", "x" * 257, "x" * 65_537, "\0", "../../etc/passwd", ".", "é\u202e\n", "frame",
    b"", b"bytes", [], {}, [None], [1.0, float("nan")], [100_000, 100_000], [0, 0],
    [-1, 4], [16_384, 16_384], [2**63 - 1, 2**63 - 1], ["fine"] * 20, [{}] * 65,
    {"a": 1}, {"C": -1}, {"low": 0}, {"": {"": ""}}, nested(40), nested(6, 6),
    {"name": "x" * 300}, [{"name": "row_px", "dtype": "object"}],
    msgpack.ExtType(5, b""), msgpack.ExtType(0, b"x" * 16), msgpack.Timestamp(0),
)  # fmt: skip
"""Values of every type, each at the wrong end of what it could be."""

VALID: dict[str, Parts] = {
    name: [bytes(part) for part in pack(message, 0)]
    for name, message in MESSAGES.items()
}


def header_of(parts: Parts) -> dict[str, object]:
    """Fields of a message, to be spoilt."""
    fields: dict[str, object] = msgpack.unpackb(parts[1])
    return fields


def with_header(parts: Parts, fields: Mapping[str, object]) -> Parts:
    """The same message with other fields."""
    return [parts[0], msgpack.packb(fields, strict_types=False), *parts[2:]]


def with_payload(parts: Parts, payload: bytes) -> Parts:
    """The same message with another payload that its header says to be right."""
    fields = header_of(parts) | {"bytes": len(payload), "crc32": zlib.crc32(payload)}
    fields.pop("xxh3", None)
    return [*with_header(parts, fields)[:2], payload]


def flipped(parts: Parts, rng: random.Random) -> Parts:
    """Some bits of one part are the others."""
    spoilt = [bytearray(part) for part in parts]
    part = rng.choice([part for part in spoilt if part])
    for _ in range(rng.choice([1, 1, 2, 8])):
        part[rng.randrange(len(part))] ^= 1 << rng.randrange(8)
    return [bytes(part) for part in spoilt]


def cut(parts: Parts, rng: random.Random) -> Parts:
    """One part ends too soon, or goes on."""
    at = rng.randrange(len(parts))
    part = parts[at]
    longer = part + rng.randbytes(rng.choice([1, 8, 1000]))
    spoilt = rng.choice([part[: rng.randrange(len(part) + 1)], longer])
    return [*parts[:at], spoilt, *parts[at + 1 :]]


def rearranged(parts: Parts, rng: random.Random) -> Parts:
    """Parts change places, are doubled, missing, or empty."""
    other = rng.choice(list(VALID.values()))
    return rng.choice([
        [parts[i] for i in rng.sample(range(3), 3)],
        [parts[0], other[1], parts[2]],
        [other[0], *parts[1:]],
        [*parts[:2], other[2]],
        parts * 2,
        parts[: rng.randrange(3)],
        [b""] * rng.choice([1, 3, 4, 50]),
        [parts[0], b"", b""],
    ])  # fmt: skip


def confused(parts: Parts, rng: random.Random) -> Parts:
    """A field of the header, or within one, has a value of another kind."""
    fields = header_of(parts)
    owner: object = fields
    while True:
        inner = [
            value
            for value in (owner.values() if isinstance(owner, dict) else owner)
            if isinstance(value, dict | list) and value
        ]
        if not inner or rng.random() < 0.6:
            break
        owner = rng.choice(inner)
    place = rng.choice(list(owner) if isinstance(owner, dict) else range(len(owner)))
    owner[place] = rng.choice(HOSTILE)
    return with_header(parts, fields)


def renamed(parts: Parts, rng: random.Random) -> Parts:
    """A field is missing, or another one has its name."""
    fields = header_of(parts)
    one, other = rng.choice(list(fields)), rng.choice(list(fields))
    if rng.random() < 0.5:
        del fields[one]
    else:
        fields[one], fields[other] = fields[other], fields[one]
    return with_header(parts, fields)


def doubled(parts: Parts, rng: random.Random) -> Parts:
    """A key comes twice in the map, with another value the second time."""
    fields = header_of(parts)
    key = rng.choice(list(fields))
    body = b"".join(
        msgpack.packb(part, strict_types=False)
        for item in [*fields.items(), (key, rng.choice(HOSTILE))]
        for part in item
    )
    return [parts[0], b"\xde" + struct.pack(">H", len(fields) + 1) + body, parts[2]]


def lying(parts: Parts, rng: random.Random) -> Parts:
    """A length that is not what it says, with a checksum that is right."""
    fields = header_of(parts)
    sized = [key for key in ("bytes", "atoms", "crc32", "xxh3") if key in fields]
    fields[rng.choice(sized)] = rng.choice([0, 1, 2**31, 2**31 + 1, 10**10, 2**63 - 1])
    if "shape" in fields and rng.random() < 0.5:
        fields["shape"] = rng.choice([[1, 1], [10**5, 10**5], [16_384] * 2, [2, 2**31]])
    return with_header(parts, fields)


def not_text(parts: Parts, rng: random.Random) -> Parts:
    """A text of the header that is not UTF-8."""
    header = parts[1]
    at = header.index(rng.choice([b"kind", b"sent_ns", b"bytes"]))
    return [parts[0], header[:at] + b"\xff\xfe" + header[at + 2 :], parts[2]]


def other_payload(parts: Parts, rng: random.Random) -> Parts:
    """Any bytes as the numbers of an image or a table."""
    noise = rng.choice([rng.randbytes(len(parts[2])), b"\xff" * len(parts[2])])
    return with_payload(parts, rng.choice([noise, noise + b"?", b""]))


def bomb(_parts: Parts, rng: random.Random) -> Parts:
    """A few bytes that announce a lot."""
    header = rng.choice([
        b"\x91" * rng.choice([100, 20_000, 262_144]),
        b"\xdc\x40\x00" * 1000,
        b"\x81\xa1a" * 2000,
        b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01", b"\xde\x40\x00",
        b"\xd6\xff\x00\x00\x00\x00", b"\xc7\x00\xff", b"\xc1", b"",
    ])  # fmt: skip
    return [b"frame/", header, b""]


def noise(_parts: Parts, rng: random.Random) -> Parts:
    """Random parts."""
    return [rng.randbytes(rng.randrange(64)) for _ in range(rng.randrange(6))]


MUTATIONS: tuple[Callable[[Parts, random.Random], Parts], ...] = (
    flipped, flipped, cut, rearranged, confused, confused, confused, renamed, doubled,
    lying, not_text, other_payload, bomb, noise,
)  # fmt: skip


def mutant(seed: int) -> Parts:
    """Malformed message number `seed`, of a valid one of any kind."""
    rng = random.Random(seed)
    parts = VALID[rng.choice(list(VALID))]
    return rng.choice(MUTATIONS)(parts, rng)


def million_parts(count: int) -> list[Buffer]:
    """One message of very many parts."""
    return [b""] * count
