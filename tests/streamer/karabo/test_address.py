"""A URL says where a bridge is, how it sends, and what of it is the image."""

import pytest

from streamer.endpoint import Address
from streamer.errors import LinkError
from streamer.karabo.address import KaraboAddress, Pattern


def test_what_is_not_said_is_as_karabo_does_it() -> None:
    address = KaraboAddress.parse("karabo+tcp://127.0.0.1:4545")
    assert address.place == Address("127.0.0.1", 4545)
    assert address.pattern is Pattern.REQ
    assert (address.source, address.key, address.step) == (None, None, 1)


def test_everything_can_be_said() -> None:
    url = (
        "karabo+tcp://host:4545?pattern=sub&source=SPB_DET/CAM/1:output"
        "&key=data.image%20a&step=10"
    )
    address = KaraboAddress.parse(url)
    assert address == KaraboAddress(
        url,
        Address("host", 4545),
        Pattern.SUB,
        "SPB_DET/CAM/1:output",
        "data.image a",
        10,
    )
    assert KaraboAddress.parse("karabo+tcp://host:1?step=any").step is None


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("tcp://host:4545", "expected karabo"),
        ("karabo+ipc:///tmp/bridge", "expected karabo"),
        ("karabo+tcp://host", "expected tcp://HOST:PORT"),
        ("karabo+tcp://host:70000", "port 70000"),
        ("karabo+tcp://host:1?pattern=rep", "expected one of req, sub, pull"),
        ("karabo+tcp://host:1?patern=sub", "expected pattern, source, key, step"),
        ("karabo+tcp://host:1?source=", "source without a value"),
        ("karabo+tcp://host:1?key=a&key=b", "something twice"),
        ("karabo+tcp://host:1?step=0", "1 to 100000"),
        ("karabo+tcp://host:1?step=-1", "1 to 100000"),
        ("karabo+tcp://host:1?step=²", "1 to 100000"),
        ("karabo+tcp://host:1?step=99999999999999", "1 to 100000"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(url: str, word: str) -> None:
    with pytest.raises(LinkError, match=word):
        KaraboAddress.parse(url)
