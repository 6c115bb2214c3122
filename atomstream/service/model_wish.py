"""What a running service is asked for while it runs: to use another model.

Each wish is a small file of its own in the session, so that none takes another's place
and each has an answer of its own among the session's events.
"""

import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from atomstream.service.model_events import ANSWERS, ModelEvent
from streamer.errors import ModelError, SessionError
from streamer.session.durable import read_own, write_file
from streamer.session.reader import SessionReader
from streamer.session.records import EventRecord
from streamer.session.roles import Role, is_taken

log = logging.getLogger("service")
PREFIX, SUFFIX = ".model-wish-", ".json"
MAX_BYTES = 65_536
ANSWER_S = 30.0
"""A frame that is being analysed here comes first."""
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Wish:
    """A model that somebody wants to be used from the next frame on."""

    id: str
    """Of no other wish; later ones sort after it."""
    model: str | None
    """A shipped model's name or a folder; None to read the one in use again."""

    def answered(self, text: str) -> str:
        """A text that says which wish it answers."""
        return f"{text} (wish {self.id})"

    def is_answered_by(self, event: EventRecord) -> bool:
        """Whether an event says what became of this wish."""
        return event.kind in ANSWERS and event.text.endswith(self.answered(""))

    def said(self, event: EventRecord) -> str:
        """What the event that answers it says."""
        return event.text.removesuffix(self.answered(""))


def wish(session: Path, model: str | None) -> Wish:
    """Ask the service of a session for a model; the wishes are met in their order.

    Raises
    ------
    SessionError
        It cannot be written.
    """
    new = Wish(f"{time.time_ns():020d}-{uuid4().hex[:8]}", model)
    path = _path(session, new)
    try:
        write_file(path, json.dumps({"model": model}).encode())
    except OSError as error:
        raise SessionError(f"{path} cannot be written: {error.strerror}") from error
    return new


def ask_and_wait(session: Path, model: str) -> str:
    """Ask the service of a session for a model; what it says to that.

    Raises
    ------
    SessionError
        No session, no service that runs on it, or none that has taken the wish up
        within `ANSWER_S`.
    ModelError
        It is refused.
    """
    with SessionReader(session) as reader:
        if not is_taken(session, Role.SERVICE):
            raise SessionError(
                f"{session}: no service is running on this session; one that is "
                "started takes its model from `serve --model`"
            )
        known = len(reader.events())
        asked = wish(session, model)
        answer = _answer(reader, known, asked)
        # One that cannot be withdrawn was taken up just now.
        if answer is None and not withdraw(session, asked):
            answer = _answer(reader, known, asked)
    if answer is None:
        raise SessionError(
            f"{session}: no service has taken the model up within {ANSWER_S:.0f} s; "
            "its messages may say why"
        )
    if answer.kind == ModelEvent.REFUSED:
        raise ModelError(asked.said(answer))
    return asked.said(answer)


def _answer(reader: SessionReader, known: int, asked: Wish) -> EventRecord | None:
    """The answer to a wish after the events that were known, if one comes in time."""
    deadline = time.monotonic() + ANSWER_S
    while time.monotonic() < deadline:
        for event in reader.events()[known:]:
            if asked.is_answered_by(event):
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
    """The oldest wish that nobody has taken up, if there is one; it is gone then."""
    for path in sorted(session.glob(f"{PREFIX}*{SUFFIX}")):
        found = _read(path)
        try:
            path.unlink()
        except OSError:
            continue  # withdrawn meanwhile, or no file that we wrote
        if found is not None:
            return found
    return None


def withdraw(session: Path, asked: Wish) -> bool:
    """Whether a wish could be taken back: nobody had taken it up."""
    try:
        _path(session, asked).unlink()
    except FileNotFoundError:
        return False
    return True


def withdraw_all(session: Path) -> None:
    """Forget what was asked of an earlier service."""
    while take_wish(session):
        pass


def _path(session: Path, asked: Wish) -> Path:
    return session / f"{PREFIX}{asked.id}{SUFFIX}"


def _read(path: Path) -> Wish | None:
    """The wish in a file; None for no file, or one that somebody else has written."""
    with suppress(OSError, ValueError):
        content = json.loads(read_own(path, MAX_BYTES))
        if isinstance(content, dict):
            model = content.get("model")
            name = path.name.removeprefix(PREFIX).removesuffix(SUFFIX)
            return Wish(name, model if isinstance(model, str) else None)
    return None
