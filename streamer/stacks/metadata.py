"""A microscope's own words, as far as they can be carried along with a frame."""

import json
from collections.abc import Mapping

from streamer.frame import JsonValue

MAX_METADATA_BYTES = 65_536
MAX_DEPTH = 12
MAX_INTEGER = 2**63


def bounded(metadata: JsonValue) -> Mapping[str, JsonValue]:
    """The metadata, or a word on how much was left out because it is too much.

    A frame's header is limited, and so is the depth of what other languages parse.
    """
    if not isinstance(metadata, dict):
        return {}
    if not _is_shallow(metadata, MAX_DEPTH):
        return {"left_out": f"metadata nested deeper than {MAX_DEPTH} levels"}
    size = len(json.dumps(metadata))
    if size > MAX_METADATA_BYTES:
        return {"left_out": f"metadata of {size} bytes, more than {MAX_METADATA_BYTES}"}
    return metadata


def _is_shallow(value: JsonValue, depth: int) -> bool:
    """Whether nothing in it is nested too deep, or a number of more than 64 bits."""
    if isinstance(value, int):
        return abs(value) < MAX_INTEGER
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_is_shallow(part, depth - 1) for part in inner)
