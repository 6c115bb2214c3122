"""A microscope's own words, as far as they can be carried along with a frame."""

import json
from collections.abc import Iterator, Mapping

from streamer.frame import JsonValue

MAX_METADATA_BYTES = 65_536
MAX_DEPTH = 12
MAX_INTEGER = 2**63


def bounded(metadata: JsonValue) -> Mapping[str, JsonValue]:
    """The metadata, or a word on why it was left out.

    A frame's header is limited, and so are the numbers and the depth that other
    languages read.
    """
    if not isinstance(metadata, dict):
        return {}
    excess = next(_excesses(metadata), None)
    return metadata if excess is None else {"left_out": f"metadata {excess}"}


def _excesses(metadata: JsonValue) -> Iterator[str]:
    if _depth(metadata) > MAX_DEPTH:
        yield f"that is nested deeper than {MAX_DEPTH} levels"
        return
    if any(abs(number) >= MAX_INTEGER for number in _integers(metadata)):
        yield "with numbers of more than 64 bits"
    size = len(json.dumps(metadata))
    if size > MAX_METADATA_BYTES:
        yield f"of {size} bytes, more than {MAX_METADATA_BYTES}"


def _parts(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _depth(value: JsonValue) -> int:
    """Levels of nesting, as far as they matter."""
    level, depth = _parts(value), 0
    while level and depth <= MAX_DEPTH:
        level, depth = [inner for part in level for inner in _parts(part)], depth + 1
    return depth


def _integers(value: JsonValue) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    for part in _parts(value):
        yield from _integers(part)
