"""A model as bytes: what is checked, and what travels to other computers."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inference.card import CARD_FILE, Card, card_text, parse_card
from inference.catalogue import check_content, checked_bytes
from streamer.errors import ModelError


@dataclass(frozen=True, slots=True, eq=False)
class ModelFiles:
    """The card and the networks that analyse, as read from a folder."""

    folder: str
    """Where they were read; names them in errors."""
    text: bytes
    """Of the card."""
    networks: Mapping[str, bytes]
    """Content of each file, by name."""

    @property
    def sha256(self) -> str:
        """The hash that names the model: of its card, which names those of the rest."""
        return hashlib.sha256(self.text).hexdigest()

    def card(self) -> Card:
        """The card, after each network was compared with it.

        Raises
        ------
        ModelError
            A card that cannot be right, or a network that is not the one on it.
        """
        card = parse_card(self.text, f"{self.folder}/{CARD_FILE}")
        for part in (card.dcnn, card.encoder):
            path = Path(self.folder, part.file)
            content = self.networks.get(part.file)
            if content is None:
                raise ModelError(f"{path} did not come with its card")
            check_content(content, path, part.sha256)
        return card


def read_model(folder: Path) -> ModelFiles:
    """The files of a model, each as its card describes it.

    Raises
    ------
    ModelError
        No card, one that cannot be right, or a file that is not the one on it.
    """
    text = card_text(folder)
    card = parse_card(text, str(folder / CARD_FILE))
    parts = (card.dcnn, card.encoder)
    networks = {
        part.file: checked_bytes(folder, part.file, part.sha256) for part in parts
    }
    return ModelFiles(str(folder), text, networks)


def decoder_beside(files: ModelFiles) -> dict[str, bytes]:
    """The decoder in the folder of `files`, by its name.

    It does not travel with them: no analysis needs it, only who wants to see what
    latents mean. Empty if there is none, or it is not the one on the card.
    """
    decoder = parse_card(files.text, files.folder).encoder.decoder
    if decoder is None:
        return {}
    with suppress(ModelError):
        content = checked_bytes(Path(files.folder), decoder.file, decoder.sha256)
        return {decoder.file: content}
    return {}
