"""What tells that a payload changed on the way.

CRC-32 is in everybody's standard library; XXH3 is ten times as fast, which shows from
some ten kilobytes on. A source without it sends CRC-32 always.
"""

import zlib
from collections.abc import Mapping

from streamer.errors import WireError
from streamer.header import Fields

try:
    import xxhash
except ImportError:  # a source in another program's Python has only what that has
    XXH3 = None
else:
    XXH3 = xxhash.xxh3_64_hexdigest

LARGE_BYTES = 64 * 1024
"""Payloads from which on XXH3 is worth its name in the header."""


def checksum_of(payload: memoryview) -> Mapping[str, int | str]:
    """The header field that tells what `payload` is."""
    if XXH3 is None or len(payload) < LARGE_BYTES:
        return {"crc32": zlib.crc32(payload)}
    return {"xxh3": XXH3(payload)}


def check(payload: memoryview, fields: Fields) -> None:
    """Refuse a payload that is not the one that was sent.

    Raises
    ------
    WireError
        Its checksum is another, is missing, or cannot be computed here.
    """
    if "xxh3" not in fields.values:
        _compare("crc32", zlib.crc32(payload), fields.count("crc32"))
    elif XXH3 is None:
        raise WireError("a payload with an xxh3; install xxhash to check it")
    else:
        _compare("xxh3", XXH3(payload), fields.text("xxh3"))


def _compare(name: str, found: int | str, expected: int | str) -> None:
    if found != expected:
        raise WireError(
            f"a payload of {name} {found!r}, expected {expected!r:.60}: it changed on "
            "the way"
        )
