"""A message of a karabo-bridge as values: protocol 2.1 and 2.2, and nothing older.

Pairs of parts: a header (msgpack map) and what it describes. The first pair of a
source has its values (msgpack map), each other one an array (raw bytes). Protocol 1.0
is one part that may hold pickled objects: it is never looked into.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from streamer.errors import WireError
from streamer.frame import JsonValue
from streamer.header import MAX_TEXT_BYTES, Fields, decode

MAX_PARTS = 1024
MAX_HEADERS_BYTES = 2**20
"""Of all headers of one message, so that very many cost no more than one."""
MAX_DIMENSIONS = 32
MAX_NAME = 256
MAX_DEPTH = 8
"""Deepest nesting of a value that is kept."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array as it came: neither checked against its bytes nor read."""

    dtype: str
    """What numpy calls it: "float32", ">f4"."""
    shape: tuple[int, ...]
    data: memoryview

    def __str__(self) -> str:
        sides = " x ".join(map(str, self.shape)) or "a single value"
        return f"{sides} {self.dtype}"[:80]


@dataclass(frozen=True, slots=True)
class Source:
    """What one source of karabo sends in one train; its words are not read yet."""

    name: str
    header: Fields
    payload: memoryview
    """Msgpack of its values."""
    arrays: dict[str, Array] = field(default_factory=dict)
    """By key."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a source says beside arrays."""

    metadata: Mapping[str, JsonValue]
    """"timestamp.tid" and whatever else is known of the train, by flat keys."""
    values: Mapping[str, JsonValue]


type Train = Mapping[str, Source]
"""Sources of one message, by name."""


def read_train(parts: Sequence[memoryview]) -> Train:
    """What a message says.

    Raises
    ------
    WireError
        Anything else than a message of protocol 2.1 or 2.2.
    """
    if len(parts) == 1:
        raise WireError(
            "a message of 1 part: karabo-bridge protocol 1.0, which may hold pickled "
            "objects and is not read, or an error; have the bridge send 2.2"
        )
    if len(parts) > MAX_PARTS:
        raise WireError(f"a message of more than {MAX_PARTS} parts")
    if not parts or len(parts) % 2:
        raise WireError(
            f"a message of {len(parts)} parts, expected pairs of header and data"
        )
    words = sum(len(part) for part in parts[::2])
    if words > MAX_HEADERS_BYTES:
        raise WireError(
            f"headers of {words} bytes, expected no more than {MAX_HEADERS_BYTES}"
        )
    train: dict[str, Source] = {}
    for header, payload in zip(parts[::2], parts[1::2], strict=True):
        _add(train, decode(header, "karabo header", MAX_TEXT_BYTES), payload)
    return train


def _add(train: dict[str, Source], fields: Fields, payload: memoryview) -> None:
    name, content = fields.text("source"), fields.text("content")
    if content == "msgpack":
        if name in train:
            raise WireError(f"source {name!r} twice in one train")
        train[name] = Source(name, fields, payload)
    elif content == "array":
        if name not in train:
            raise WireError(f"an array of source {name!r} before its values")
        key = fields.text("path")
        if key in train[name].arrays:
            raise WireError(f"array {key!r} of source {name!r} twice in one train")
        train[name].arrays[key] = _array(fields, payload)
    else:
        raise fields.unexpected("content", "msgpack or array")


def _array(fields: Fields, payload: memoryview) -> Array:
    sides = fields.items("shape", MAX_DIMENSIONS)
    shape = tuple(sides.count(key) for key in sides.values)
    return Array(fields.text("dtype"), shape, payload)


def words_of(source: Source) -> Words:
    """What a source says; metadata are in its header since 2.2, in 2.1 among values.

    Raises
    ------
    WireError
        No msgpack map, or larger than the header of a message of ours may be.
    """
    decoded = decode(source.payload, "karabo map of values", MAX_TEXT_BYTES)
    values = dict(decoded.values)
    within = {
        key.removeprefix("metadata."): values.pop(key)
        for key in list(values)
        if key.startswith("metadata.")
    }
    said = (
        source.header.values.get("metadata") or values.pop("metadata", None) or within
    )
    if not _is_named(said):
        raise source.header.unexpected("metadata", "a map")
    return Words(_flat(said), {key: _json(values[key]) for key in values})


def _is_named(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


def _flat(metadata: Mapping[str, object]) -> dict[str, JsonValue]:
    """Metadata by flat keys: an old bridge has "timestamp" as a map with "tid"."""
    flat: dict[str, JsonValue] = {}
    for key, value in metadata.items():
        if _is_named(value):
            flat |= {f"{key}.{inner}": _json(value[inner]) for inner in value}
        else:
            flat[key] = _json(value)
    return flat


def _json(value: object, depth: int = 1) -> JsonValue:
    """A value as far as JSON can say it, else a word on what was left out."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if depth > MAX_DEPTH:
        return f"left out: nested more than {MAX_DEPTH} levels deep"
    if isinstance(value, list):
        return [_json(item, depth + 1) for item in value]
    if _is_named(value):
        return {key: _json(item, depth + 1) for key, item in value.items()}
    size = f" of {len(value)} bytes" if isinstance(value, bytes) else ""
    return f"left out: {type(value).__name__}{size}"
