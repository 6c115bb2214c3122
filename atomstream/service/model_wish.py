"""A running service's model, chosen while it runs: what was asked for, what is in use.

Both are small files in the session, so that a command can ask, and a service whose
process was started again goes on with the model that it had.
"""

import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atomstream.service.model_events import ANSWERS, ModelEvent
from streamer.errors import ModelError, SessionError
from streamer.session.durable import write_file
from streamer.session.reader import SessionReader
from streamer.session.records import EventRecord

log = logging.getLogger("service")
WISH_FILE = ".model-wish.json"
IN_USE_FILE = ".model-in-use.json"
ANSWER_S = 30.0
"""A frame that is being analysed here comes first."""
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Wish:
    """A model that somebody wants to be used from the next frame on."""

    model: str | None
    """A shipped model's name or a folder; None to read the one in use again."""


def wish(session: Path, model: str | None) -> None:
    """Ask the service of a session for a model; the newest wish counts.

    Raises
    ------
    SessionError
        It cannot be written.
    """
    _write(session / WISH_FILE, model)


def ask_and_wait(session: Path, model: str) -> str:
    """Ask the service of a session for a model; what it says to that.

    Raises
    ------
    SessionError
        No session, or no service has taken it up within `ANSWER_S`.
    ModelError
        It is refused.
    """
    with SessionReader(session) as reader:
        known = len(reader.events())
        wish(session, model)
        answer = _answer(reader, known)
    if answer is None:
        withdraw_wish(session)
        raise SessionError(
            f"{session}: no service has taken the model up within {ANSWER_S:.0f} s; "
            "is one running on this session?"
        )
    if answer.kind == ModelEvent.REFUSED:
        raise ModelError(answer.text)
    return answer.text


def _answer(reader: SessionReader, known: int) -> EventRecord | None:
    """The first answer to a wish after the events that were known, if one comes."""
    deadline = time.monotonic() + ANSWER_S
    while time.monotonic() < deadline:
        for event in reader.events()[known:]:
            if event.kind in ANSWERS:
                return event
        time.sleep(POLL_S)
    return None


def ask_again(session: Path) -> None:
    """Ask for the model in use, read again; where that is impossible, say so only."""
    try:
        wish(session, None)
    except SessionError as error:
        log.error("%s", error)


def take_wish(session: Path) -> Wish | None:
    """What was asked for since the last time, if anything was."""
    path = session / WISH_FILE
    if not path.exists():
        return None
    found = _read(path)
    path.unlink(missing_ok=True)
    return found


def withdraw_wish(session: Path) -> None:
    """Ask for nothing."""
    (session / WISH_FILE).unlink(missing_ok=True)


def remember(session: Path, model: str) -> None:
    """Keep which model is in use, for the time after a crash.

    Raises
    ------
    SessionError
        It cannot be written.
    """
    _write(session / IN_USE_FILE, model)


def remembered(session: Path, otherwise: str) -> str:
    """The model that was in use, or the one that the service was started with."""
    found = _read(session / IN_USE_FILE)
    return otherwise if found is None or found.model is None else found.model


def forget(session: Path) -> None:
    """Let a new service begin with the model that it was given."""
    withdraw_wish(session)
    (session / IN_USE_FILE).unlink(missing_ok=True)


def _write(path: Path, model: str | None) -> None:
    try:
        write_file(path, json.dumps({"model": model}).encode())
    except OSError as error:
        raise SessionError(f"{path} cannot be written: {error.strerror}") from error


def _read(path: Path) -> Wish | None:
    """What is in a file; None for no file, or one that somebody else has written."""
    with suppress(OSError, ValueError):
        content = json.loads(path.read_bytes())
        if isinstance(content, dict):
            model = content.get("model")
            return Wish(model if isinstance(model, str) else None)
    return None
