"""Where a karabo-bridge is, how it sends, and what of it is the image."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import parse_qsl

from streamer.endpoint import Address
from streamer.errors import LinkError

SCHEME = "karabo+"
ANY = "any"
MAX_STEP = 100_000
EXAMPLE = "karabo+tcp://HOST:PORT?pattern=sub&source=NAME&key=image.data"


class Pattern(StrEnum):
    """What this side of a bridge is; the other is REP, PUB or PUSH."""

    REQ = "req"
    """Asks for each train: karabo's default."""
    SUB = "sub"
    PULL = "pull"


@dataclass(frozen=True, slots=True)
class KaraboAddress:
    """What stands in a URL of a karabo-bridge."""

    url: str
    """As it was given."""
    place: Address
    pattern: Pattern = Pattern.REQ
    source: str | None = None
    """Karabo source that has the image; None: whichever has one."""
    key: str | None = None
    """Key of the image in its source; None: the only one that can be an image."""
    step: int | None = 1
    """Train ids from one image to the next; None: not known."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """The address in "karabo+tcp://HOST:PORT?NAME=VALUE&…".

        Raises
        ------
        LinkError
            Of another form, or with a parameter that is not known.
        """
        bare, _, query = url.removeprefix(SCHEME).partition("?")
        if not is_karabo(url) or not bare.startswith("tcp://"):
            raise LinkError(f"address {url[:200]!r}, expected {EXAMPLE}")
        told = _told(url, query)
        return cls(
            url,
            Address.parse(bare),
            _pattern(url, told.get("pattern", Pattern.REQ)),
            told.get("source"),
            told.get("key"),
            _step(url, told.get("step", "1")),
        )


def is_karabo(url: str) -> bool:
    """Whether `url` means a karabo-bridge."""
    return url.startswith(SCHEME)


PARAMETERS = ("pattern", "source", "key", "step")


def _told(url: str, query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=16)
    told = dict(pairs)
    for name, value in told.items():
        if name not in PARAMETERS:
            known = ", ".join(PARAMETERS)
            raise LinkError(f"{url[:200]} has {name[:40]!r}, expected {known}")
        if not value:
            raise LinkError(f"{url[:200]} says {name} without a value")
    if len(told) != len(pairs):
        raise LinkError(f"{url[:200]} says something twice")
    return told


def _pattern(url: str, text: str) -> Pattern:
    if text not in tuple(Pattern):
        known = ", ".join(Pattern)
        raise LinkError(
            f"{url[:200]} has pattern {text[:40]!r}, expected one of {known}"
        )
    return Pattern(text)


def _step(url: str, text: str) -> int | None:
    if text == ANY:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_STEP):
        raise LinkError(
            f"{url[:200]} has step {text[:40]!r}, expected how many train ids lie "
            f"from one image to the next, 1 to {MAX_STEP}, or {ANY}"
        )
    return int(text[:9])
