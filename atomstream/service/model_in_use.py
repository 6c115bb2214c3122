"""The model that a running service uses, so that a crash changes nothing about it.

A note in the session says which service took it and where from; its files stand beside,
by their hash. What happens to the folder that they came from is of no concern then.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from atomstream.service.kept_models import KEPT
from inference.card import CARD_FILE
from inference.model_files import ModelFiles, decoder_beside, read_model
from streamer.errors import ModelError, SessionError
from streamer.session.durable import make_folder, read_own, write_file

NOTE = ".model-in-use.json"
MAX_NOTE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class InUse:
    """What is in use, and by whom."""

    run: str
    """The service that took it: another one does not go on with it."""
    model: str
    """A shipped model's name, or the folder that it was read from."""
    sha256: str


def remember(session: Path, run: str, model: str, files: ModelFiles) -> None:
    """Keep a model that is about to be used, for the time after a crash.

    Its decoder is kept too, where there is one, for pages that show the session.

    Raises
    ------
    SessionError
        It cannot be written; what was remembered before still is.
    """
    folder = _kept(session, files.sha256)
    note = json.dumps(asdict(InUse(run, model, files.sha256))).encode()
    if folder.is_symlink():
        raise SessionError(f"{folder} is a link; models are kept in the session itself")
    try:
        make_folder(folder)
        for name, content in {**files.networks, **decoder_beside(files)}.items():
            write_file(folder / name, content)
        write_file(folder / CARD_FILE, files.text)
        write_file(session / NOTE, note)
    except OSError as error:
        raise SessionError(
            f"{session}: the model cannot be kept there: {error.strerror}"
        ) from error


def in_use(session: Path, run: str) -> InUse | None:
    """What a service has taken; None if it has not taken any yet."""
    with suppress(OSError, ValueError, TypeError):
        found = InUse(**json.loads(read_own(session / NOTE, MAX_NOTE_BYTES)))
        if found.run == run:
            return found
    return None


def files_in_use(session: Path, found: InUse) -> ModelFiles:
    """The files of the model in use, as they were when it was taken.

    Raises
    ------
    ModelError
        Somebody has changed or removed them.
    """
    folder = _kept(session, found.sha256)
    files = read_model(folder)
    if files.sha256 != found.sha256:
        raise ModelError(
            f"{folder} holds model {files.sha256[:12]}…, expected "
            f"{found.sha256[:12]}…; restore it"
        )
    return files


def _kept(session: Path, sha256: str) -> Path:
    return session / KEPT / sha256
