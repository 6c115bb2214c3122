"""A model, checked and loaded: two ONNX networks and the card that describes them."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference.card import CARD_FILE, Card, EncoderCard, read_card
from inference.harmonics import Rings
from streamer.analysis import ModelId
from streamer.errors import ModelError

SHIPPED = Path(__file__).parent / "models"
"""Models that come with the package, a folder each."""
DEFAULT = "graphene-si"
MAX_FILE_BYTES = 512 * 1024 * 1024


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
    card = read_card(folder)
    card_bytes = (folder / CARD_FILE).read_bytes()
    dcnn = _session(folder, card.dcnn.file, card.dcnn.sha256, threads)
    encoder = _session(folder, card.encoder.file, card.encoder.sha256, threads)
    _check_signature(dcnn, ("image",), ("carbon", "silicon"), card.dcnn.file)
    _check_signature(encoder, ("harmonics",), ("angle", "latents"), card.encoder.file)
    _check_sizes(encoder, card.encoder)
    model_id = ModelId(
        name=card.name,
        sha256=hashlib.sha256(card_bytes).hexdigest(),
        latents=card.encoder.latents,
        angle_period_rad=card.encoder.angle_period_rad,
    )
    return Model(card, model_id, dcnn.get_providers()[0], dcnn, encoder)


def find_model(name_or_folder: str) -> Path:
    """The folder of a model.

    Raises
    ------
    ModelError
        Neither a shipped model's name nor a folder.
    """
    shipped = shipped_models()
    if name_or_folder in shipped:
        return shipped[name_or_folder]
    folder = Path(name_or_folder)
    with suppress(OSError):  # a name too long to be a path
        if folder.is_dir():
            return folder
    raise ModelError(
        f"no model {name_or_folder!r}: neither a folder nor one that is shipped "
        f"({', '.join(shipped) or 'none'})"
    )


def shipped_models() -> dict[str, Path]:
    """Folder of each model that comes with the package, by name."""
    cards = sorted(SHIPPED.glob(f"*/{CARD_FILE}"))
    return {card.parent.name: card.parent for card in cards}


def verify_model(folder: Path) -> Card:
    """The card, after every file was compared with the SHA-256 that it states.

    Raises
    ------
    ModelError
        As for `load_model`, without running anything.
    """
    card = read_card(folder)
    for file, sha256 in (
        (card.dcnn.file, card.dcnn.sha256),
        (card.encoder.file, card.encoder.sha256),
    ):
        _checked_bytes(folder, file, sha256)
    return card


def _checked_bytes(folder: Path, file: str, sha256: str) -> bytes:
    path = folder / file
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ModelError(f"{path} is larger than any model should be")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path} is not the file its card describes: SHA-256 {found[:12]}…, "
            f"expected {sha256[:12]}…; restore the file or the card"
        )
    return content


def _session(
    folder: Path, file: str, sha256: str, threads: int
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: the microscope's frames are seconds apart, and the other
    # core belongs to the receiver and the page.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    content = _checked_bytes(folder, file, sha256)
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
