import json

import pytest

from streamer.frame import JsonValue
from streamer.metadata import MAX_METADATA_BYTES, bounded


def nested(depth: int) -> dict[str, JsonValue]:
    return {} if depth == 0 else {"a": nested(depth - 1)}


@pytest.mark.parametrize(
    "words",
    [{}, {"instrument": {"high_tension": 6e4, "aberrations": [1, None, "x"]}}],
)
def test_what_fits_is_passed_through(words: dict[str, JsonValue]) -> None:
    assert bounded(words) == words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"a": "x" * 70_000}, "metadata of 70009 bytes, more than 65536"),
        (nested(40), "metadata that is nested deeper than 12 levels"),
        ({"a": [2**63]}, "metadata with numbers of more than 64 bits"),
    ],
    ids=["long", "deep", "large"],
)
def test_what_does_not_fit_is_not_left_out_in_silence(
    words: dict[str, JsonValue], said: str
) -> None:
    assert bounded(words) == {"left_out": said}
    assert len(json.dumps(bounded(words))) < MAX_METADATA_BYTES


@pytest.mark.parametrize("words", [None, 3, "text", [1, 2]])
def test_what_is_no_map_is_none(words: JsonValue) -> None:
    assert bounded(words) == {}
