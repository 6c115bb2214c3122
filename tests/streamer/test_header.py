"""Metadata of any source: what cannot be said in a header is not sent."""

from collections.abc import Mapping

import numpy as np
import pytest

from streamer.errors import WireError
from streamer.frame import Frame, JsonValue, Stream
from streamer.wire import pack

STREAM = Stream("5f0c", "SuperScan", "HAADF")


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        pytest.param(
            {"a": {"b": np.zeros(1)}},
            "metadata.a.b: a ndarray, expected a JSON value",
            id="array",
        ),
        pytest.param(
            {"a": b"x"}, "metadata.a: a bytes, expected a JSON value", id="bytes"
        ),
        pytest.param(
            {"a": 2**64},
            "a header that cannot be packed: Integer value out of range",
            id="huge integer",
        ),
        pytest.param(
            {"a": "x" * 300_000},
            "a header of 300255 bytes, expected no more than 262144",
            id="huge text",
        ),
        pytest.param(
            {"a": "x" * 65_537},
            "a header that is not msgpack: 65537 exceeds max_str_len(65536)",
            id="long text",
        ),
        pytest.param(
            {"a": "\ud800"},
            "a header that cannot be packed: 'utf-8' codec can't encode character "
            "'\\ud800' in position 0: surrogates not allowed",
            id="text that is none",
        ),
    ],
)
def test_what_could_not_be_read_is_not_sent(
    metadata: Mapping[str, JsonValue], reason: str
) -> None:
    with pytest.raises(WireError) as error:
        pack(Frame(STREAM, 0, np.ones((3, 4)), metadata=metadata), 0)
    assert str(error.value) == reason
