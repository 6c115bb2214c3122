"""Which models there are, and whether their files are those on their cards."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from inference.card import CARD_FILE, Card, card_text, read_card, read_regular
from streamer.errors import ModelError

SHIPPED = Path(__file__).parent / "models"
"""Models that come with the package, a folder each."""
DEFAULT = "graphene-si"
MAX_FILE_BYTES = 512 * 1024 * 1024


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


def find_by_hash(sha256: str, folders: Iterable[Path]) -> Path | None:
    """Which of `folders` holds the model with this hash, of its card; None if none."""
    for folder in folders:
        with suppress(ModelError):  # no model, or no longer one
            if hashlib.sha256(card_text(folder)).hexdigest() == sha256:
                return folder
    return None


def verify_model(folder: Path) -> Card:
    """The card, after every file was compared with the SHA-256 that it states.

    Raises
    ------
    ModelError
        As for `load_model`, without running anything.
    """
    card = read_card(folder)
    for file, sha256 in card.files.items():
        checked_bytes(folder, file, sha256)
    return card


def checked_bytes(folder: Path, file: str, sha256: str) -> bytes:
    """The content of a model's file.

    Raises
    ------
    ModelError
        It cannot be read, or is not the one that its card describes.
    """
    path = folder / file
    try:
        content = read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    check_content(content, path, sha256)
    return content


def check_content(content: bytes, path: Path, sha256: str) -> None:
    """Refuse a content of `path` that is not the one that its card describes.

    Raises
    ------
    ModelError
        It is another.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path} is not the file its card describes: SHA-256 {found[:12]}…, "
            f"expected {sha256[:12]}…; restore the file or the card"
        )
