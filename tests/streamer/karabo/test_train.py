"""A message of a bridge is a train, or one kind of error; nothing in it is run."""

import pickle
import random
import tracemalloc
from pathlib import Path
from types import ModuleType
from typing import Any

import msgpack
import msgpack_numpy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from karabo_bridge import serialize
from numpy.typing import NDArray

from streamer.errors import WireError
from streamer.karabo.picture import Choice, image_of, said_of, time_ns, train_id
from streamer.karabo.train import read_train, words_of


def parts_of(message: list[Any]) -> list[memoryview]:
    return [memoryview(part).cast("B") for part in message]


def pair(header: object, payload: object) -> list[memoryview]:
    data = payload if isinstance(payload, bytes) else msgpack.packb(payload)
    return parts_of([msgpack.packb(header), data])


SOURCE = {"source": "S", "content": "msgpack", "metadata": {"timestamp.tid": 7}}
ARRAY = {
    "source": "S", "content": "array", "path": "image", "dtype": "uint8",
    "shape": [2, 3],
}  # fmt: skip
VALID = [*pair(SOURCE, {"mode": "scan"}), *pair(ARRAY, bytes(range(6)))]


def taken(
    parts: list[memoryview], name: str | None = None, array: str | None = None
) -> NDArray[np.generic]:
    """What a receiver makes of a message, but for its number."""
    source, key = Choice(name, array).find(read_train(parts))
    words = words_of(source)
    train_id(words.metadata), time_ns(words.metadata), said_of(words)
    return image_of(source.arrays[key])


def test_what_karabo_packs_is_read_as_it_was(bridge: ModuleType) -> None:
    data, metadata = bridge.train(12)
    source = read_train(parts_of(serialize(data, metadata)))["STEM/HAADF"]
    words = words_of(source)
    assert words.values == {"dwell": 2.5, "mode": "scan"}
    assert words.metadata == metadata["STEM/HAADF"]
    assert (train_id(words.metadata), time_ns(words.metadata)) == (
        12,
        1_700_000_012_250_000_000,
    )
    image = image_of(source.arrays["image.data"])
    np.testing.assert_array_equal(image, data["STEM/HAADF"]["image.data"])
    assert image.dtype == np.float32
    assert not image.flags.writeable
    assert said_of(words) == {
        "metadata": metadata["STEM/HAADF"],
        "data": {"dwell": 2.5, "mode": "scan"},
    }


@pytest.mark.parametrize(
    "values",
    [
        {"metadata": {"timestamp.tid": 7, "timestamp.sec": "5"}, "mode": "scan"},
        {"metadata.timestamp.tid": 7, "metadata.timestamp.sec": "5", "mode": "scan"},
        {"metadata": {"timestamp": {"tid": 7, "sec": "5"}}, "mode": "scan"},
    ],
    ids=["a map", "flat keys", "a map in a map"],
)
def test_metadata_among_the_values_are_found_as_protocol_2_1_has_them(
    values: object,
) -> None:
    header = {"source": "S", "content": "msgpack"}
    words = words_of(read_train([*pair(header, values), *VALID[2:]])["S"])
    assert words.metadata == {"timestamp.tid": 7, "timestamp.sec": "5"}
    assert words.values == {"mode": "scan"}


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float16",
                                   "float32", "float64", ">f4", ">u2"])  # fmt: skip
def test_every_type_of_pixel_keeps_its_values(dtype: str) -> None:
    image = np.arange(12).reshape(3, 4).astype(dtype)
    parts = parts_of(serialize({"S": {"image": image}}, {"S": {}}))
    found = taken(parts)
    np.testing.assert_array_equal(found, image)
    assert found.dtype == np.dtype(dtype).newbyteorder("=")


def test_a_stack_of_one_image_is_that_image() -> None:
    image = np.arange(12, dtype=np.float32).reshape(1, 1, 3, 4)
    parts = parts_of(serialize({"S": {"image": image}}, {"S": {}}))
    np.testing.assert_array_equal(taken(parts), image[0, 0])


def test_values_that_json_cannot_say_are_left_out_by_name() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    values = {"raw": b"12345", "deep": deep, "mode": "scan"}
    said = words_of(read_train([*pair(SOURCE, values), *VALID[2:]])["S"]).values
    assert said["raw"] == "left out: bytes of 5 bytes"
    assert said["mode"] == "scan"
    assert "nested more than 8" in str(said["deep"])


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ([], "0 parts"),
        (VALID[:3], "3 parts"),
        (VALID[:1], "1 part: karabo-bridge protocol 1.0"),
        (VALID * 600, "more than 1024 parts"),
        ([*VALID, *VALID], "'S' twice"),
        ([*VALID, *VALID[2:]], "'image' of source 'S' twice"),
        (VALID[2:], "before its values"),
        ([memoryview(bytes(9000)), VALID[1]] * 500, "headers of 4500000 bytes"),
        (pair({**SOURCE, "content": "ImageData"}, {}), "expected msgpack or array"),
        (pair({**SOURCE, "content": "pickle"}, {}), "expected msgpack or array"),
        (pair({**SOURCE, "source": 5}, {}), "source is 5"),
        (pair({**SOURCE, "metadata": [1]}, {}), "expected a map"),
        (pair(SOURCE, [1, 2]), "values that is a list"),
        (pair(SOURCE, b"\xc1"), "not msgpack"),
        (pair([1], {}), "header that is a list"),
        ([memoryview(bytes(300_000)), VALID[1]], "300000 bytes"),
        ([VALID[0], memoryview(bytes(300_000))], "300000 bytes"),
        (pair(SOURCE, msgpack.packb(msgpack.ExtType(4, b"abc"))), "not msgpack"),
    ],
)
def test_what_is_no_train_is_refused_with_what_was_expected(
    parts: list[memoryview], word: str
) -> None:
    with pytest.raises(WireError, match=word):
        taken([*parts, *VALID[2:]] if len(parts) == 2 else parts)


@pytest.mark.parametrize(
    ("claim", "word"),
    [
        ({"shape": [2, 4]}, "6 bytes, expected 8"),
        ({"shape": [-1, 6]}, "from 0 to"),
        ({"shape": [2.0, 3]}, "an integer"),
        ({"shape": [6]}, "rows x columns"),
        ({"shape": [2, 1, 3]}, "rows x columns"),
        ({"shape": [0, 3]}, "rows x columns"),
        ({"shape": [100_000, 100_000]}, "rows x columns"),
        ({"shape": [2**62, 2**62]}, "rows x columns"),
        ({"shape": [1] * 33}, "at most 32"),
        ({"dtype": "float64"}, "6 bytes, expected 48"),
        ({"dtype": "complex64"}, "expected pixels of"),
        ({"dtype": "object"}, "expected pixels of"),
        ({"dtype": "O"}, "expected pixels of"),
        ({"dtype": "V8"}, "expected pixels of"),
        ({"dtype": "uint64"}, "expected pixels of"),
        ({"dtype": "f4,f4"}, "expected pixels of"),
        ({"dtype": None}, "dtype is None"),
    ],
)
def test_an_image_that_cannot_be_one_is_refused(
    claim: dict[str, object], word: str
) -> None:
    parts = [*VALID[:2], *pair({**ARRAY, **claim}, bytes(6))]
    with pytest.raises(WireError, match=word):
        taken(parts, "S", "image")


class Trap:
    """What makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, bytes]]:
        return Path.write_bytes, (self.path, b"")  # type: ignore[return-value] # a trap


def test_pickles_are_never_looked_into(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(Trap(sprung))
    objects = np.empty((2, 2), object)
    objects[:] = Trap(sprung)
    in_msgpack = msgpack.packb({"image": objects}, default=msgpack_numpy.encode)
    # As a client of karabo's own would run it.
    msgpack.unpackb(in_msgpack, object_hook=msgpack_numpy.decode)
    assert sprung.exists(), "the trap does not work"
    sprung.unlink()
    for parts in (
        [trap], [in_msgpack], [trap, trap], [VALID[0], trap], [VALID[0], in_msgpack],
        [*VALID[:2], msgpack.packb({**ARRAY, "dtype": "object"}), trap],
    ):  # fmt: skip
        try:
            taken(parts_of(parts))
        except WireError:
            continue
    assert not sprung.exists()


def test_an_array_that_claims_more_than_it_brings_costs_nothing() -> None:
    # 16 kB that are 1 MB when decoded, in each of five hundred sources.
    full = msgpack.packb({"x": [{}] * 16_000})
    others = [
        part for i in range(500) for part in pair({**SOURCE, "source": f"S{i}"}, full)
    ]
    tracemalloc.start()
    for shape in ([16_384, 16_384], [2**40, 2**20], [2**62] * 32):
        claim = {**ARRAY, "dtype": "float64", "shape": shape}
        with pytest.raises(WireError):
            taken([*VALID[:2], *pair(claim, bytes(6))])
    # A list that announces more than comes, once within another.
    for bomb in (b"\xdd\xff\xff\xff\xff", b"\xdc\x3f\xff" * 60_000, b"\x91" * 250_000):
        with pytest.raises(WireError):
            taken([*others, VALID[0], memoryview(bomb), *VALID[2:]])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Nearly all of it for lists that announce more than comes, as in a header of ours.
    assert peak < 100e6


any_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats()
    | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
HEADERS = (SOURCE, ARRAY)


def is_refused_or_sound(parts: list[memoryview]) -> None:
    refused = None
    try:
        image = taken(parts)
    except WireError as error:
        refused = str(error)
    assert image.ndim == 2 if refused is None else 0 < len(refused) < 2000


@settings(
    max_examples=400, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_whatever_a_field_says_there_is_an_image_or_one_error(
    data: st.DataObject,
) -> None:
    which = data.draw(st.integers(0, 1))
    header: dict[str, object] = dict(HEADERS[which])
    name = data.draw(st.sampled_from([*sorted(header), "timestamp", "x"]))
    header[name] = data.draw(any_json)
    payloads = [msgpack.packb({"mode": data.draw(any_json)}), bytes(6)]
    headers = [msgpack.packb(each) for each in (SOURCE, ARRAY)]
    headers[which] = msgpack.packb(header)
    is_refused_or_sound(parts_of([headers[0], payloads[0], headers[1], payloads[1]]))


@settings(max_examples=600, derandomize=True, deadline=None, database=None)
@given(
    flips=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 10_000), st.integers(1, 255)),
        min_size=1,
        max_size=4,
    ),
    cut=st.integers(0, 4),
)
def test_whatever_bytes_come_there_is_an_image_or_one_error(
    flips: list[tuple[int, int, int]], cut: int
) -> None:
    parts = [bytearray(part) for part in VALID]
    for part, at, change in flips:
        parts[part][at % len(parts[part])] ^= change
    is_refused_or_sound(parts_of(parts[: 4 - cut]))


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_noise_is_no_train(parts: list[bytes]) -> None:
    is_refused_or_sound(parts_of(parts))


def test_memory_does_not_grow_with_what_is_refused() -> None:
    chance = random.Random(4)
    tracemalloc.start()
    refused, grown = 0, []
    for count in range(6000):
        parts = [bytearray(part) for part in VALID]
        for _ in range(3):
            part = chance.choice(parts)
            part[chance.randrange(len(part))] = chance.randrange(256)
        try:
            taken(parts_of(parts))
        except WireError:
            refused += 1
        if count in (1999, 5999):
            grown.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert refused > 4000
    assert grown[1] - grown[0] < 2**18
