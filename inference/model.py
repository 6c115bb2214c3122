"""A model, checked and loaded: two ONNX networks and the card that describes them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference.card import CARD_FILE, Card, EncoderCard, card_text, parse_card
from inference.catalogue import checked_bytes, find_model
from inference.harmonics import Rings
from streamer.analysis import ModelId
from streamer.errors import ModelError


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Both networks, ready to run."""

    card: Card
    id: ModelId
    provider: str
    """Execution provider that ONNX Runtime really uses."""
    dcnn: onnxruntime.InferenceSession
    encoder: onnxruntime.InferenceSession

    def segment(
        self, image: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities of C and of Si, (rows, cols) each.

        Parameters
        ----------
        image
            (rows, cols): normalised, at the card's pixel size, sides multiples of its
            stride.
        """
        carbon, silicon = self.dcnn.run(None, {"image": image[None, None]})
        return carbon[0], silicon[0]

    def encode(
        self, harmonics: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Angles (N,) in rad and latents (N, k) from harmonics (N, features)."""
        angle, latents = self.encoder.run(None, {"harmonics": harmonics})
        return angle, latents


def load_model(name_or_folder: str, threads: int = 2) -> Model:
    """A shipped model by name, or any other by its folder.

    Parameters
    ----------
    threads
        For ONNX Runtime within one network.

    Raises
    ------
    ModelError
        No such model, a card that cannot be right, a file whose SHA-256 is not the
        card's, or a file that is not a network of the shape that the card promises.
    """
    folder = find_model(name_or_folder)
    text = card_text(folder)
    card = parse_card(text, str(folder / CARD_FILE))
    dcnn = _session(folder, card.dcnn.file, card.dcnn.sha256, threads)
    encoder = _session(folder, card.encoder.file, card.encoder.sha256, threads)
    _check_signature(dcnn, ("image",), ("carbon", "silicon"), card.dcnn.file)
    _check_signature(encoder, ("harmonics",), ("angle", "latents"), card.encoder.file)
    _check_sizes(encoder, card.encoder)
    model_id = ModelId(
        name=card.name,
        sha256=hashlib.sha256(text).hexdigest(),
        latents=card.encoder.latents,
        angle_period_rad=card.encoder.angle_period_rad,
    )
    return Model(card, model_id, dcnn.get_providers()[0], dcnn, encoder)


def _session(
    folder: Path, file: str, sha256: str, threads: int
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: the microscope's frames are seconds apart, and the other
    # core belongs to the receiver and the page.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    content = checked_bytes(folder, file, sha256)
    try:
        return onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime has its own tree of errors
        raise ModelError(f"{folder / file} is not a network: {error!s:.200}") from error


def _check_signature(
    session: onnxruntime.InferenceSession,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    file: str,
) -> None:
    found_in = tuple(item.name for item in session.get_inputs())
    found_out = tuple(item.name for item in session.get_outputs())
    if found_in != inputs or found_out != outputs:
        raise ModelError(
            f"{file} takes {found_in} and gives {found_out}; "
            f"expected {inputs} and {outputs}"
        )


def _check_sizes(encoder: onnxruntime.InferenceSession, card: EncoderCard) -> None:
    takes, gives = encoder.get_inputs()[0].shape, encoder.get_outputs()[1].shape
    numbers, latents = 2 * len(Rings.of(card).features), len(card.latents)
    if takes[1:] != [numbers] or gives[1:] != [latents]:
        raise ModelError(
            f"{card.file} makes {gives[1:]} latents of {takes[1:]} numbers; "
            f"its card describes [{latents}] of [{numbers}]"
        )
