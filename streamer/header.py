"""The header of a message: a msgpack map, each field checked as it is read.

What arrives is bounded before it is decoded: bytes of the header, length of each
text, list and map (and msgpack itself goes no deeper than its own small stack).
"""

import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import msgpack

from streamer.errors import WireError
from streamer.frame import JsonValue

MAX_HEADER_BYTES = 256 * 1024
"""Enough for a microscope's whole state; decoded it takes 20 MiB at most, and 80 MiB of
address space when lists announce more than comes."""
MAX_TEXT_BYTES = 64 * 1024
"""Longest text anywhere in a header, in bytes of UTF-8."""
MAX_ITEMS = 16_384
"""Longest list or map anywhere in a header."""
MAX_DEPTH = 16
"""Deepest nesting of a frame's metadata."""
MAX_NAME = 256
"""Longest name (source, channel, model, latent, stage …), in characters."""
MAX_INTEGER = 2**63 - 1
MAX_SEQ = MAX_INTEGER - 1
"""Highest number in a stream, so that how many there are is an integer as well."""
MAX_WHERE = 256
"""Longest name of a place within a header, in messages about it."""

IDENTIFIER = "1 to 64 letters, digits, '_', '-' or '.'"
_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2
"""Lists of lists of lists would make a megabyte of words about a wrong field."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one map, read by name and type.

    Each reader raises `WireError` for a field that is missing or of another type.
    A number may arrive as an integer where a real one is meant: many languages
    write 1.0 as 1.
    """

    values: Mapping[str, object]
    where: str
    """What the map is, for messages: "frame header"."""

    def text(self, name: str, limit: int = MAX_NAME) -> str:
        """Text of at most `limit` characters."""
        value = self.values.get(name)
        if not isinstance(value, str) or len(value) > limit:
            raise self.unexpected(name, f"text of at most {limit} characters")
        return value

    def identifier(self, name: str) -> str:
        """Text that may stand in a topic and in the name of a file."""
        value = self.text(name)
        if not is_identifier(value):
            raise self.unexpected(name, IDENTIFIER)
        return value

    def choice(self, name: str, choices: type[Choice]) -> Choice:
        """One of the words of `choices`."""
        value = self.values.get(name)
        # Python 3.11 looks for members in an enumeration, not for their values.
        if not isinstance(value, str) or value not in tuple(choices):
            raise self.unexpected(name, "one of " + ", ".join(choices))
        return choices(value)

    def integer(
        self, name: str, low: int = -MAX_INTEGER - 1, high: int = MAX_INTEGER
    ) -> int:
        """Integer from `low` to `high`, both included."""
        value = self.values.get(name)
        # A bool is an int to Python, and to nobody else.
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.unexpected(name, "an integer")
        if not low <= value <= high:
            raise self.unexpected(name, f"an integer from {low} to {high}")
        return value

    def count(self, name: str, high: int = MAX_INTEGER) -> int:
        """Integer from 0 to `high`."""
        return self.integer(name, 0, high)

    def seq(self, name: str, low: int = 0) -> int:
        """Number of a message in its stream, or where `low` is -1 that of none."""
        return self.integer(name, low, MAX_SEQ)

    def real(self, name: str) -> float:
        """Any floating-point number, NaN and infinities included."""
        value = self.values.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.unexpected(name, "a number")
        return float(value)

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self.values.get(name)
        if not isinstance(value, bool):
            raise self.unexpected(name, "true or false")
        return value

    def optional(self, read: Callable[[str], Value], name: str) -> Value | None:
        """What `read` gives, or None where the field is nil or absent."""
        return None if self.values.get(name) is None else read(name)

    def listed(self, name: str, limit: int = MAX_ITEMS) -> list[object]:
        """List of at most `limit` items, of whatever type."""
        value = self.values.get(name)
        if not isinstance(value, list) or len(value) > limit:
            raise self.unexpected(name, f"a list of at most {limit} items")
        return value

    def names(self, name: str, limit: int = MAX_ITEMS) -> tuple[str, ...]:
        """List of at most `limit` names."""
        items = self.items(name, limit)
        return tuple(items.text(key) for key in items.values)

    def reals(self, name: str, length: int) -> tuple[float, ...]:
        """List of exactly `length` numbers."""
        items = self.items(name, length, length)
        return tuple(items.real(key) for key in items.values)

    def items(self, name: str, limit: int = MAX_ITEMS, least: int = 0) -> "Fields":
        """A list as fields "item 0", "item 1", …, so that each is read by type."""
        values = self.listed(name, limit)
        if len(values) < least:
            raise self.unexpected(name, f"{least} items")
        numbered = {f"item {index}": value for index, value in enumerate(values)}
        return Fields(numbered, f"{self.where}, {name}")

    def inner(self, name: str, limit: int = MAX_ITEMS) -> "Fields":
        """Map of at most `limit` named fields."""
        value = self.values.get(name)
        if not isinstance(value, dict) or len(value) > limit:
            raise self.unexpected(name, f"a map of at most {limit} fields")
        if not all(isinstance(key, str) and len(key) <= MAX_NAME for key in value):
            raise self.unexpected(name, f"names of at most {MAX_NAME} characters")
        return Fields(value, f"{self.where}, {name}")

    def maps(self, name: str, limit: int = MAX_ITEMS) -> "tuple[Fields, ...]":
        """List of at most `limit` maps."""
        items = self.items(name, limit)
        return tuple(items.inner(key) for key in items.values)

    def json(self, name: str) -> dict[str, JsonValue]:
        """Map of JSON values, nested no deeper than `MAX_DEPTH`."""
        values = self.inner(name).values
        return {
            key: json_value(value, f"{self.where}, {name}.{key}")
            for key, value in values.items()
        }

    def unexpected(self, name: str, expected: str) -> WireError:
        """The error that says what stands in field `name` and what should."""
        if name not in self.values:
            return WireError(f"{self.where}: {name} is missing, expected {expected}")
        value = self.values[name]
        arrived = f"{_SHORT.repr(value)} ({type(value).__name__})"
        return WireError(f"{self.where}: {name} is {arrived}, expected {expected}")


def is_identifier(text: str) -> bool:
    """Whether `text` is 1 to 64 of A-Z, a-z, 0-9, "_", "-", ".", and no "." first."""
    return _IDENTIFIER.fullmatch(text) is not None


def json_value(value: object, where: str, depth: int = 1) -> JsonValue:
    """`value` itself when JSON can say it.

    Raises
    ------
    WireError
        Nested deeper than `MAX_DEPTH`, or something that is not JSON.
    """
    if depth > MAX_DEPTH:
        raise WireError(f"{where}: nested more than {MAX_DEPTH} levels deep")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        inside = f"{where}[]"[:MAX_WHERE]
        return [json_value(item, inside, depth + 1) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {
            key: json_value(item, f"{where}.{key[:MAX_WHERE]}"[:MAX_WHERE], depth + 1)
            for key, item in value.items()
        }
    kind = type(value).__name__
    raise WireError(f"{where}: a {kind}, expected a JSON value")


def encode(values: Mapping[str, object]) -> bytes:
    """Msgpack of a header.

    Raises
    ------
    WireError
        A value that msgpack cannot hold, or more than `MAX_HEADER_BYTES`.
    """
    try:
        header: bytes = msgpack.packb(values)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"a header that cannot be packed: {error}") from error
    check_size(header, MAX_HEADER_BYTES, "header")
    return header


def decode(
    header: bytes | memoryview, what: str = "header", max_binary_bytes: int = 0
) -> Fields:
    """Fields of a header, or of another map within the same limits.

    Parameters
    ----------
    what
        What the map is, for messages.
    max_binary_bytes
        Longest msgpack binary in it; a header of ours has none.

    Raises
    ------
    WireError
        Too long, not one msgpack map, or larger inside than the limits above.
    """
    check_size(header, MAX_HEADER_BYTES, what)
    try:
        values = msgpack.unpackb(
            header,
            ext_hook=refuse_extension,
            max_str_len=MAX_TEXT_BYTES,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
            max_bin_len=max_binary_bytes,
            max_ext_len=0,
        )
    except (TypeError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise WireError(f"a {what} that is not msgpack: {reason}") from error
    if not isinstance(values, dict):
        raise WireError(f"a {what} that is a {type(values).__name__}, expected a map")
    return Fields(values, what)


def check_size(part: bytes | memoryview, limit: int, what: str) -> None:
    """Refuse a part of more than `limit` bytes.

    Raises
    ------
    WireError
        It is longer.
    """
    if len(part) > limit:
        raise WireError(f"a {what} of {len(part)} bytes, expected no more than {limit}")


def refuse_extension(code: int, data: bytes) -> object:
    """Refuse msgpack's extension types: they mean whatever the receiver's hook does.

    Raises
    ------
    WireError
        Always.
    """
    raise WireError(f"msgpack extension {code} of {len(data)} bytes, expected none")
