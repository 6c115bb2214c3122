"""How much arithmetic a network is: counted from the shapes that really run through it.

ONNX Runtime writes them into its profile; no other package is needed to read the graph.
"""

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from inference.card import read_card
from inference.catalogue import checked_bytes, find_model
from inference.runtime import onnxruntime

KERNELS = MappingProxyType(
    {"Conv": 1, "ConvTranspose": 1, "ConvInteger": 1, "QLinearConv": 3}
)
"""Operators that are counted, and which of their inputs is the kernel."""

type Shape = Sequence[int]


def flop_per_pixel(name_or_folder: str, side_px: int = 256) -> float:
    """Floating-point operations of a model's DCNN for a pixel of its input.

    Convolutions only, by their definition: two operations for each product that is
    added, whatever algorithm ONNX Runtime chooses.

    Raises
    ------
    ModelError
        As for `load_model`.
    """
    folder = find_model(name_or_folder)
    card = read_card(folder).dcnn
    content = checked_bytes(folder, card.file, card.sha256)
    side = math.ceil(side_px / card.stride_px) * card.stride_px
    image = np.zeros((1, 1, side, side), np.float32)
    return sum(map(node_flop, profile(content, {"image": image}))) / side**2


def profile(
    content: bytes, inputs: Mapping[str, np.ndarray[Any, Any]]
) -> list[Mapping[str, Any]]:
    """What ONNX Runtime notes of each node that it runs: operator and shapes."""
    options = onnxruntime.SessionOptions()
    # The graph as it was written: fused and reordered nodes have other shapes.
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    )
    # Kernels that are packed beforehand are not among the shapes.
    options.add_session_config_entry("session.disable_prepacking", "1")
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        session.run(None, dict(inputs))
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return [
        event["args"]
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
    ]


def node_flop(node: Mapping[str, Any]) -> int:
    """Operations of one node; 0 for what is no convolution."""
    operator = node["op_name"]
    if operator not in KERNELS:
        return 0
    taken = [_shape(tensor) for tensor in node["input_type_shape"]]
    made = _shape(node["output_type_shape"][0])
    # Transposed, each pixel that goes in is multiplied, not each that comes out.
    pixels = taken[0] if operator == "ConvTranspose" else made
    return conv_flop(pixels, taken[KERNELS[operator]])


def conv_flop(pixels: Shape, kernel: Shape) -> int:
    """Operations of a convolution.

    Parameters
    ----------
    pixels
        (n, channels, rows, cols) of its output.
    kernel
        (output channels, input channels of a group, rows, cols).
    """
    return 2 * math.prod(pixels) * math.prod(kernel[1:])


def _shape(tensor: Mapping[str, list[int]]) -> list[int]:
    """Of a tensor described as {"float": [1, 16, 32, 32]}."""
    (shape,) = tensor.values()
    return shape
