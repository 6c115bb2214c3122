"""What `crystallinity` means for an encoder that nobody told: one latent, on a scale.

A VAE finds order by itself, but in which latent, and in which direction, is an
accident of the run. Of the latents that it found, the one that follows an order
parameter best (see `inference.order_parameters`) is brought to the scale of
that by a straight line, and this is called crystallinity.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from scipy.stats import spearmanr

from inference.card import EncoderCard
from inference.runtime import onnxruntime
from inference.training.session_set import SessionSubImages
from streamer.frame import JsonValue

ORDER = "mean |psi3| within 0.5 nm"
TINY = 1e-6
"""What varies by less does not vary."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Crystallinity = offset + slope · latent."""

    latent: str
    slope: float
    offset: float
    follows: float
    """Spearman's correlation of crystallinity with the order parameter on sub-images
    that were held out."""

    @property
    def as_json(self) -> dict[str, JsonValue]:
        """For the card's provenance."""
        numbers = {
            "slope": self.slope, "offset": self.offset, "held_out_rho": self.follows,
        }  # fmt: skip
        rounded = {name: round(value, 4) for name, value in numbers.items()}
        return {"latent": self.latent, "order_parameter": ORDER, **rounded}

    @property
    def in_words(self) -> str:
        """For the card's limits."""
        return (
            "The encoder was trained on one session, without any truth: its "
            f"crystallinity is {self.latent} on the scale of the {ORDER}, which it "
            f"follows with a rank correlation of {self.follows:.2f} on sub-images that "
            "were held out."
        )


def pin_crystallinity(
    folder: Path, card: EncoderCard, found: tuple[str, ...], data: SessionSubImages
) -> tuple[EncoderCard, Pin]:
    """Rewrite an encoder's file so that its crystallinity is a latent that it found.

    The posterior standard deviation, where the encoder gives any, is brought to the
    same scale.

    Parameters
    ----------
    folder
        Of the encoder's file.
    found
        Names of the latents to choose from.
    """
    path, names = folder / card.file, card.latents
    latents = _latents(path, data.rows)
    pin = find_pin({name: latents[:, names.index(name)] for name in found}, data)
    model = onnx.load(path)
    _redirect(model, names.index("crystallinity"), names.index(pin.latent), pin)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return card.model_copy(update={"sha256": sha256}), pin


def held_out_rho(folder: Path, card: EncoderCard, data: SessionSubImages) -> float:
    """Rank correlation of an encoder's crystallinity with the order parameter."""
    latents = _latents(folder / card.file, data.rows)
    told = latents[:, card.latents.index("crystallinity")]
    return _follows(told, data.order, data.held_out)


def find_pin(latents: dict[str, NDArray[np.float32]], data: SessionSubImages) -> Pin:
    """The latent whose ranks follow those of the order best, and its line."""
    learnt = ~data.held_out
    best = max(
        latents, key=lambda name: abs(_follows(latents[name], data.order, learnt))
    )
    slope, offset = _line(latents[best][learnt], data.order[learnt])
    crystallinity = offset + slope * latents[best]
    rho = _follows(crystallinity, data.order, data.held_out)
    return Pin(best, slope, offset, rho)


def _follows(
    values: NDArray[np.float32], order: NDArray[np.float32], rows: NDArray[np.bool_]
) -> float:
    """Spearman's rank correlation; 0 where one of the two does not vary."""
    if min(np.ptp(values[rows]), np.ptp(order[rows])) < TINY:
        return 0.0
    return float(spearmanr(values[rows], order[rows]).statistic)


def _line(x: NDArray[np.float32], y: NDArray[np.float32]) -> tuple[float, float]:
    """(slope, offset) of least squares."""
    if np.ptp(x) < TINY:  # a latent that is dead
        return 0.0, float(y.mean())
    slope, offset = np.polyfit(x.astype(np.float64), y.astype(np.float64), 1)
    return float(slope), float(offset)


def _latents(path: Path, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, k) latents of all rows."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    latents: NDArray[np.float32] = session.run(
        ["latents"], {session.get_inputs()[0].name: rows}
    )[0]
    return latents


def _redirect(model: onnx.ModelProto, column: int, latent: int, pin: Pin) -> None:
    """Let one column of the latents be what `pin` makes of another."""
    outputs = model.graph.output
    count = outputs[1].type.tensor_type.shape.dim[1].dim_value
    mix, shift = np.eye(count, dtype=np.float32), np.zeros(count, np.float32)
    mix[:, column] = 0
    mix[latent, column], shift[column] = pin.slope, pin.offset
    _after(model, "latents", mix, shift)
    if len(outputs) > 2:
        spread = np.eye(1 + count, dtype=np.float32)
        spread[1:, 1:] = np.abs(mix)
        _after(model, "sigma", spread, np.zeros(1 + count, np.float32))


def _after(
    model: onnx.ModelProto,
    output: str,
    mix: NDArray[np.float32],
    shift: NDArray[np.float32],
) -> None:
    """Let what was this output go through a product and a sum."""
    graph = model.graph
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [
                f"{name}_as_found" if name == output else name for name in names
            ]
    for name, value in (("mix", mix), ("shift", shift)):
        graph.initializer.append(numpy_helper.from_array(value, f"{output}_{name}"))
    graph.node.append(
        helper.make_node("Gemm", [f"{output}_as_found", f"{output}_mix",
                                  f"{output}_shift"], [output])
    )  # fmt: skip
