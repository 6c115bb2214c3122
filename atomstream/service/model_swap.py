"""A running service takes another model between two frames, or keeps the one it has."""

import logging
from dataclasses import dataclass, field

from atomstream.engines import whole_files_of
from atomstream.service.model_events import ModelEvent
from atomstream.service.model_in_use import in_use, remember
from atomstream.service.model_wish import Wish, take_wish
from inference.engines.engine import Engine
from streamer.analysis import Analysis, ModelId
from streamer.errors import AtomstreamError, SessionError
from streamer.session.journal import Journal
from streamer.session.reader import SessionReader

log = logging.getLogger("analyse")


@dataclass
class ModelSwap:
    """Looks between two frames whether somebody asks for another model."""

    session: SessionReader
    journal: Journal
    engine: Engine
    run: str
    """Of the service, as in the note of what is in use."""
    _last: ModelId | None = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.session.newest_model()

    def look(self) -> None:
        """Take what was asked for, or say why not."""
        wish = take_wish(self.session.folder)
        if wish is None:
            return
        before = self.engine.model
        try:
            kind, text = self._take(wish)
        except AtomstreamError as error:
            kind = ModelEvent.REFUSED
            name = wish.model or "the model"
            text = f"{name} is refused, {named(before)} stays: {error}"
        self._say(kind, wish.answered(text))

    def _take(self, wish: Wish) -> tuple[ModelEvent, str]:
        """What is said to a wish that can be met."""
        before = self.engine.model
        name = wish.model or self._where_from()
        files = whole_files_of(name)
        if files.sha256 == before.sha256:
            return ModelEvent.SAME, f"{named(before)} is in use already"
        ready = self.engine.prepared(files)
        # Only when a crash would not bring the old one back is it the new one.
        remember(self.session.folder, self.run, name, files)
        self.engine.use(ready)
        text = f"{named(self.engine.model)} is taken instead of {named(before)}"
        return ModelEvent.TAKEN, text

    def _where_from(self) -> str:
        found = in_use(self.session.folder, self.run)
        if found is None:
            raise SessionError(
                f"{self.session.folder}: the note of the model in use is gone; "
                "name a model with atomstream models use"
            )
        return found.model

    def note(self, analysis: Analysis) -> None:
        """Write down, before its commit, that a frame is the first of its model."""
        if analysis.model == self._last:
            return
        instead = f" instead of {named(self._last)}" if self._last else ""
        self._last = analysis.model
        self._say(
            ModelEvent.FIRST,
            f"frame {analysis.seq} of {analysis.stream.id} is the first by "
            f"{named(analysis.model)}{instead}",
        )

    def _say(self, kind: ModelEvent, text: str) -> None:
        log.info("%s: %s", kind, text)
        self.journal.note(kind, text)


def named(model: ModelId) -> str:
    """A model's name and the start of its hash."""
    return f"{model.name} ({model.sha256[:12]})"
