"""Networks written byte by byte: what no exporter would make."""

import struct


def varint(number: int) -> bytes:
    out = b""
    while True:
        low, number = number & 0x7F, number >> 7
        out += bytes([low | (0x80 if number else 0)])
        if not number:
            return out


def field(number: int, value: int | str | bytes) -> bytes:
    """A field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def value_info(name: str, *sides: int) -> bytes:
    dims = b"".join(field(1, field(1, side)) for side in sides)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def node(kind: str, takes: str, gives: str) -> bytes:
    names = b"".join(field(1, name) for name in takes.split())
    return names + field(2, gives) + field(4, kind)


def elsewhere(name: str, location: str) -> bytes:
    """Four numbers that stand in another file."""
    entries = {"location": location, "length": "16"}
    pairs = (
        field(13, field(1, key) + field(2, value)) for key, value in entries.items()
    )
    return field(1, 4) + field(2, 1) + field(8, name) + b"".join(pairs) + field(14, 1)


def whole_number(name: str, value: int) -> bytes:
    return (
        field(1, 1) + field(2, 7) + field(8, name) + field(9, struct.pack("<q", value))
    )


def network(nodes: list[bytes], constants: list[bytes]) -> bytes:
    """A network from `x` to `y`, four numbers each."""
    graph = b"".join(field(1, each) for each in nodes) + field(2, "g")
    graph += b"".join(field(5, each) for each in constants)
    graph += field(11, value_info("x", 4)) + field(12, value_info("y", 4))
    return field(1, 8) + field(8, field(1, "") + field(2, 17)) + field(7, graph)
