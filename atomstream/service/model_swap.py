"""A running service takes another model between two frames, or keeps the one it has."""

import logging
import time
from dataclasses import dataclass, field

from atomstream.engines import files_of
from atomstream.service.model_events import ModelEvent
from atomstream.service.model_wish import remember, remembered, take_wish
from inference.engines.engine import Engine
from streamer.analysis import Analysis, ModelId
from streamer.errors import AtomstreamError
from streamer.session.analyst import AnalysisRecorder
from streamer.session.reader import SessionReader

log = logging.getLogger("analyse")


@dataclass
class ModelSwap:
    """Looks between two frames whether somebody asks for another model."""

    session: SessionReader
    recorder: AnalysisRecorder
    engine: Engine
    given: str
    """The model that the service was started with."""
    _last: ModelId | None = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.session.newest_model()

    def look(self) -> None:
        """Take what was asked for, or say why not."""
        wish = take_wish(self.session.folder)
        if wish is None:
            return
        name = wish.model or remembered(self.session.folder, self.given)
        before = self.engine.model
        try:
            files = files_of(name)
            if files.sha256 == before.sha256:
                self._say(ModelEvent.SAME, f"{named(before)} is in use already")
                return
            self.engine.use(files)
            remember(self.session.folder, name)
        except AtomstreamError as error:
            text = f"{name} is refused, {named(before)} stays: {error}"
            self._say(ModelEvent.REFUSED, text)
            return
        text = f"{named(self.engine.model)} is taken instead of {named(before)}"
        self._say(ModelEvent.TAKEN, text)

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
        self.recorder.commit_event(time.time_ns(), kind, text)


def named(model: ModelId) -> str:
    """A model's name and the start of its hash."""
    return f"{model.name} ({model.sha256[:12]})"
