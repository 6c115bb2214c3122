"""One network of a model that is there, taken over into another model."""

from pathlib import Path
from typing import Any

from inference.card import Card, DcnnCard, EncoderCard
from inference.catalogue import checked_bytes
from inference.training.export import DCNN_FILE, DECODER_FILE, ENCODER_FILE
from streamer.session.durable import write_file


def copy_dcnn(card: Card, base: Path, folder: Path) -> DcnnCard:
    """Copy the segmentation network of `base`, whose card is `card`.

    Raises
    ------
    ModelError
        Its file is not the one on its card.
    OSError
        No room, or no permission.
    """
    dcnn: DcnnCard = _copied(card.dcnn, base, folder, DCNN_FILE)
    return dcnn


def copy_encoder(card: Card, base: Path, folder: Path) -> EncoderCard:
    """Copy the encoder of `base`, and its decoder if it has one.

    Raises
    ------
    ModelError, OSError
        As for `copy_dcnn`.
    """
    encoder: EncoderCard = _copied(card.encoder, base, folder, ENCODER_FILE)
    if card.encoder.decoder is None:
        return encoder
    decoder = _copied(card.encoder.decoder, base, folder, DECODER_FILE)
    return encoder.model_copy(update={"decoder": decoder})


def _copied(part: Any, base: Path, folder: Path, name: str) -> Any:  # noqa: ANN401 (any part of a card that names a file)
    write_file(folder / name, checked_bytes(base, part.file, part.sha256))
    return part.model_copy(update={"file": name})
