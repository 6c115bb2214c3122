"""One trained method → two small ONNX files, and how faithful they are."""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from inference.paper_methods.card import NetworkFile
from inference.runtime import onnxruntime
from inference.training.baselines import Baseline
from inference.training.export import export_network, sha256_of
from inference.training.paper_readout import (
    Readout,
    ServedDecoder,
    ServedWindowEncoder,
)
from inference.training.paper_rvae import CONTENT, PaperRvae

SMALLEST = 1024
"""Numbers in a tensor of weights that is worth rounding."""


class ContentAndAngle(nn.Module):
    """(N, side, side) windows → content (N, 2), angle (N,) of an rVAE."""

    def __init__(self, rvae: PaperRvae, readout: Readout) -> None:
        super().__init__()
        self.served = ServedWindowEncoder(rvae.encoder, readout)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """z1 and z2 as trained; the angle in rad, ± π/3."""
        angle, latents, _ = self.served(windows)
        return latents[:, :CONTENT], angle


class DrawnContent(nn.Module):
    """(N, 2) content → windows (N, side, side) of a method without an angle."""

    def __init__(self, network: Baseline) -> None:
        super().__init__()
        self.network = network

    def forward(self, content: Tensor) -> Tensor:
        """Probability of an atom at each pixel."""
        return self.network.draw(content)


def as_trained(angle_offset_rad: float) -> Readout:
    """z1 and z2 as they are, and an angle that counts from where it is told to."""
    return Readout(angle_offset_rad, 0, origin=0.0, scale=1.0, spearman=0.0)


def served(
    network: Baseline | PaperRvae, readout: Readout, usual_rad: float
) -> tuple[nn.Module, nn.Module, list[str]]:
    """Encoder and decoder to be exported, and the names of what the first gives."""
    if isinstance(network, PaperRvae):
        encoder = ContentAndAngle(network, readout)
        decoder = ServedDecoder(network, readout, usual_rad)
        return encoder.eval(), decoder.eval(), ["content", "angle"]
    return network.eval(), DrawnContent(network).eval(), ["content"]


def export_method(
    parts: tuple[nn.Module, nn.Module, list[str]], side_px: int, stem: str, folder: Path
) -> tuple[NetworkFile, NetworkFile]:
    """Write both networks, their weights in eight bits."""
    encoder, decoder, gives = parts
    files = [folder / f"{stem}-{half}.onnx" for half in ("encoder", "decoder")]
    free = {0: torch.export.Dim("atoms")}
    export_network(
        encoder,
        torch.zeros(7, side_px, side_px),
        files[0],
        names=(["windows"], gives),
        dynamic={"windows": free},
    )
    export_network(
        decoder,
        torch.zeros(7, CONTENT),
        files[1],
        names=(["content"], ["images"]),
        dynamic={"content": free},
    )
    for file in files:
        round_weights(file)
    first, second = (NetworkFile(file=one.name, sha256=sha256_of(one)) for one in files)
    return first, second


def round_weights(path: Path) -> None:
    """Keep large weights as eight-bit numbers, one scale for each of their first axis.

    A quarter of the bytes; ONNX Runtime turns them back when it loads the file.
    """
    model = onnx.load(path)
    for weights in [one for one in model.graph.initializer if _is_large(one)]:
        values = numpy_helper.to_array(weights)
        name, last = weights.name, values.ndim - 1
        most = np.abs(values).max(axis=tuple(range(1, last + 1)))
        scale = np.maximum(most, 1e-12).astype(np.float32) / np.float32(127)
        small = np.rint(values / scale.reshape(-1, *[1] * last)).astype(np.int8)
        model.graph.initializer.remove(weights)
        model.graph.initializer.extend(
            [
                numpy_helper.from_array(small, f"{name}_rounded"),
                numpy_helper.from_array(scale, f"{name}_scale"),
            ]
        )
        inputs = [f"{name}_rounded", f"{name}_scale"]
        back = helper.make_node("DequantizeLinear", inputs, [name], axis=0)
        model.graph.node.insert(0, back)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def rounding_error(
    encoder: nn.Module, path: Path, windows: NDArray[np.float32]
) -> float:
    """How far content comes out otherwise than it was trained to, by its own spread.

    Root mean square over windows (N, side, side), of the latent for which it is worst.
    """
    session = onnxruntime.InferenceSession(path)
    given = session.run(["content"], {"windows": windows})[0]
    with torch.no_grad():
        told = encoder(torch.from_numpy(windows))
    true = (told[0] if isinstance(told, tuple) else told).numpy()
    spread = np.maximum(true.std(axis=0), 1e-12)
    return float((np.sqrt(((given - true) ** 2).mean(axis=0)) / spread).max())


def drawn_share(network: Baseline | PaperRvae, windows: NDArray[np.float32]) -> float:
    """How much of the variance of windows (N, side, side) a method draws, at most 1.

    Each is drawn from the means of all its latents; the variance is about the mean
    window.
    """
    every = torch.from_numpy(windows)
    with torch.no_grad():
        if isinstance(network, PaperRvae):
            drawn = network.draw(network.encoder(every)[0], network.grid)
            drawn = (drawn / network.encoder.contrast).unflatten(1, windows.shape[1:])
        else:
            drawn = network.draw(network(every))
        left = ((drawn - every) ** 2).mean()
        varies = ((every - every.mean(dim=0)) ** 2).mean()
    return float(1 - left / varies)


def _is_large(tensor: TensorProto) -> bool:
    floats = tensor.data_type == TensorProto.FLOAT and len(tensor.dims) > 1
    return floats and int(np.prod(tensor.dims)) >= SMALLEST
