"""The arithmetic of convolutions, counted against pencil and paper."""

import numpy as np
import pytest

from atomstream.bench.flops import conv_flop, flop_per_pixel, node_flop, profile
from inference.catalogue import DEFAULT


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def part(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def value_info(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(part(1, number(1, side)) for side in shape)
    return part(1, name) + part(2, part(1, number(1, 1) + part(2, dims)))


def tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(number(1, side) for side in values.shape)
    return dims + number(2, 1) + part(8, name) + part(9, values.tobytes())


def one_node(
    operator: str,
    kernel: tuple[int, ...],
    taken: tuple[int, ...],
    made: tuple[int, ...],
) -> bytes:
    """An ONNX file of one convolution: the format is protobuf's, field by field."""
    node = part(1, "x") + part(1, "w") + part(2, "y") + part(4, operator)
    weights = tensor("w", np.ones(kernel, np.float32))
    ends = part(11, value_info("x", taken)) + part(12, value_info("y", made))
    graph = part(1, node) + part(2, "one") + part(5, weights) + ends
    return number(1, 8) + part(8, number(2, 17)) + part(7, graph)


@pytest.mark.parametrize(
    ("operator", "kernel", "taken", "made", "flop"),
    [
        # Each of 3 x 6 x 6 numbers is a sum of 2 x 3 x 3 products.
        ("Conv", (3, 2, 3, 3), (1, 2, 8, 8), (1, 3, 6, 6), 2 * 3 * 36 * 18),
        # Each of 2 x 8 x 8 numbers goes into 3 x 2 x 2 products.
        ("ConvTranspose", (2, 3, 2, 2), (1, 2, 8, 8), (1, 3, 9, 9), 2 * 2 * 64 * 12),
    ],
)
def test_one_convolution_is_counted_from_what_runs(
    operator: str,
    kernel: tuple[int, ...],
    taken: tuple[int, ...],
    made: tuple[int, ...],
    flop: int,
) -> None:
    content = one_node(operator, kernel, taken, made)
    nodes = profile(content, {"x": np.zeros(taken, np.float32)})
    assert [node["op_name"] for node in nodes] == [operator]
    assert sum(map(node_flop, nodes)) == flop


def test_a_grouped_convolution_sums_over_its_group_only() -> None:
    assert conv_flop((1, 8, 10, 10), (8, 1, 3, 3)) == 2 * 8 * 100 * 9


def test_what_is_no_convolution_is_not_counted() -> None:
    assert node_flop({"op_name": "Relu"}) == 0


def test_a_models_count_does_not_depend_on_the_size_of_the_image() -> None:
    counts = [flop_per_pixel(DEFAULT, side) for side in (64, 128)]
    assert counts[0] == counts[1] > 1000
