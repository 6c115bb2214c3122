"""A model, checked and loaded: two ONNX networks and the card that describes them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.card import Card, EncoderCard, HarmonicsEncoderCard
from inference.catalogue import find_model
from inference.device import Device
from inference.harmonics import Rings
from inference.model_files import ModelFiles, read_model
from inference.runtime import onnxruntime
from inference.session import open_session
from streamer.analysis import ModelId
from streamer.errors import ModelError

INPUT = {"harmonics": "harmonics", "window": "windows"}
"""Name of the encoder's input, by its kind."""
MOST_ROWS = 2**12
"""Sub-images that the encoder sees at once: some MB of what is in between."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """What the encoder says of each atom."""

    angle_rad: NDArray[np.float32]
    """(N,)"""
    latents: NDArray[np.float32]
    """(N, k)"""
    sigma: NDArray[np.float32] | None
    """(N, 1 + k): posterior standard deviation of the angle and of each latent; None
    for a model that does not tell."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Both networks, ready to run."""

    card: Card
    id: ModelId
    provider: str
    """Execution provider that ONNX Runtime really uses."""
    threads: int
    """That work at one frame."""
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

    def encode(self, described: NDArray[np.float32]) -> Encoded:
        """Angles and latents of sub-images, described as the card wants them."""
        name = INPUT[self.card.encoder.kind]
        parts = [
            self.encoder.run(None, {name: described[first : first + MOST_ROWS]})
            for first in range(0, max(len(described), 1), MOST_ROWS)
        ]
        outputs = map(np.concatenate, zip(*parts, strict=True))
        angle, latents, *sigma = outputs
        return Encoded(angle, latents, sigma[0] if sigma else None)


def load_model(
    name_or_folder: str, threads: int = 2, device: Device = Device.CPU
) -> Model:
    """A shipped model by name, or any other by its folder.

    Parameters
    ----------
    threads
        That work at one frame.

    Raises
    ------
    ModelError
        No such model, a card that cannot be right, a file whose SHA-256 is not the
        card's, or a file that is not a network of the shape that the card promises.
    SettingsError
        It cannot run on `device`.
    """
    return open_model(read_model(find_model(name_or_folder)), threads, device)


def open_model(files: ModelFiles, threads: int, device: Device) -> Model:
    """A model from its bytes, wherever they came from; they are checked first.

    Raises
    ------
    ModelError, SettingsError
        As for `load_model`.
    """
    card = files.card()

    def opened(file: str) -> onnxruntime.InferenceSession:
        path = Path(files.folder, file)
        return open_session(files.networks[file], path, threads, device)

    dcnn, encoder = opened(card.dcnn.file), opened(card.encoder.file)
    _check_signature(dcnn, ("image",), ("carbon", "silicon"), card.dcnn.file)
    _check_encoder(encoder, card.encoder)
    model_id = ModelId(
        name=card.name,
        sha256=files.sha256,
        latents=card.encoder.latents,
        angle_period_rad=card.encoder.angle_period_rad,
    )
    provider = dcnn.get_providers()[0]
    return Model(card, model_id, provider, threads, dcnn, encoder)


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


def _check_encoder(encoder: onnxruntime.InferenceSession, card: EncoderCard) -> None:
    outputs = ("angle", "latents", "sigma")[: max(2, len(encoder.get_outputs()))]
    _check_signature(encoder, (INPUT[card.kind],), outputs, card.file)
    takes, gives = encoder.get_inputs()[0].shape, encoder.get_outputs()[1].shape
    wanted, latents = _row_shape(card), len(card.latents)
    if takes[1:] != wanted or gives[1:] != [latents]:
        raise ModelError(
            f"{card.file} makes {gives[1:]} latents of {takes[1:]} numbers; "
            f"its card describes [{latents}] of {wanted}"
        )


def _row_shape(card: EncoderCard) -> list[int]:
    """Shape of what describes one sub-image."""
    if isinstance(card, HarmonicsEncoderCard):
        return [2 * len(Rings.of(card).features)]
    return [card.side_px, card.side_px]
