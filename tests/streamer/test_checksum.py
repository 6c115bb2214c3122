"""A payload that changed on the way is refused, with what either end has."""

import subprocess
import sys
from uuid import uuid4

import msgpack
import numpy as np
import pytest

from streamer.checksum import LARGE_BYTES
from streamer.errors import WireError
from streamer.frame import Frame, Stream
from streamer.wire import pack, unpack

STREAM = Stream(str(uuid4()), "simulator", "HAADF")


@pytest.mark.parametrize("side", [16, 512])
def test_every_flipped_bit_is_noticed(side: int) -> None:
    noise = np.random.default_rng(1)
    image = noise.random((side, side), np.float32)
    topic, header, payload = pack(Frame(STREAM, 0, image), 0)
    damaged = bytearray(payload)
    for bit in noise.integers(0, 8 * len(payload), 500):
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError, match="it changed on the way"):
            unpack([topic, header, damaged])
        damaged[bit // 8] ^= 1 << bit % 8
    assert unpack([topic, header, damaged]).message.seq == 0


WITHOUT = f"""
import sys
sys.modules["xxhash"] = None
import numpy
from streamer.frame import Frame, Stream
from streamer.wire import pack, unpack
image = numpy.zeros({LARGE_BYTES}, "u1").reshape(1024, -1)
topic, header, payload = pack(Frame(Stream("a", "nion", "HAADF"), 0, image), 0)
sys.stdout.buffer.write(header)
"""


def test_a_source_without_xxhash_sends_what_everybody_can_check() -> None:
    command = [sys.executable, "-c", WITHOUT]
    header = subprocess.run(command, check=True, capture_output=True).stdout
    assert b"crc32" in header
    assert b"xxh3" not in header
    payload = bytes(LARGE_BYTES)
    assert unpack([b"frame/nion/HAADF", header, payload]).message.seq == 0
    with pytest.raises(WireError, match="a payload of crc32"):
        unpack([b"frame/nion/HAADF", header, b"\1" + payload[1:]])


@pytest.mark.parametrize("text", ["é\u202e\n", "a" * 5000], ids=["odd", "long"])
def test_a_checksum_of_any_text_is_told_in_one_short_line(text: str) -> None:
    image = np.zeros((512, 512), np.float32)
    topic, header, payload = pack(Frame(STREAM, 0, image), 0)
    fields = msgpack.unpackb(header)
    with pytest.raises(WireError) as refused:
        unpack([topic, msgpack.packb({**fields, "xxh3": text}), payload])
    said = str(refused.value)
    assert said.isprintable()
    assert len(said) < 200
