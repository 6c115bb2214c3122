"""The engine in this process: one frame after the other."""

import logging
from dataclasses import dataclass, field

from inference.analyse import Analyser
from inference.engines.engine import Job, Ready, Setup
from inference.model_files import ModelFiles
from streamer.analysis import Analysis, ModelId
from streamer.log_fields import of_frame

log = logging.getLogger("analyse")


@dataclass
class LocalEngine:
    """Analyses a frame when its analysis is asked for.

    Raises
    ------
    ModelError, SettingsError
        From the constructor: as for `Setup.analyser`.
    """

    files: ModelFiles
    setup: Setup
    _ready: Ready = field(init=False)
    _job: tuple[Job, Analyser] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.use(self.prepared(self.files))

    @property
    def model(self) -> ModelId:
        """What the next frame will be analysed with."""
        return self._ready.analyser.model.id

    @property
    def provider(self) -> str:
        """ONNX Runtime execution provider of the model."""
        return self._ready.analyser.model.provider

    @property
    def in_flight(self) -> int:
        """0 or 1."""
        return 0 if self._job is None else 1

    @property
    def room(self) -> int:
        """1 or 0."""
        return 1 - self.in_flight

    def prepared(self, files: ModelFiles) -> Ready:
        """Another model, loaded.

        Raises
        ------
        ModelError, SettingsError
            It cannot be used.
        """
        return Ready(files, self.setup.analyser(files))

    def use(self, ready: Ready) -> None:
        """Take another model from the next frame on."""
        self._ready = ready

    def submit(self, job: Job) -> None:
        """Take a frame; only when there is room."""
        self._job = job, self._ready.analyser

    def collect(self, timeout_s: float) -> Analysis | None:  # noqa: ARG002 # the protocol's
        """The analysis of the frame, however long it takes; None if there is none."""
        if self._job is None:
            return None
        (job, analyser), self._job = self._job, None
        return attempt(analyser, job)

    def close(self) -> None:
        """Forget the frame."""
        self._job = None


def attempt(analyser: Analyser, job: Job) -> Analysis:
    """The analysis of a frame, or one that says that it failed."""
    try:
        return analyser.analyse(job.frame, job.history)
    except Exception:  # one frame must not stop the stream, whatever is wrong with it
        frame = job.frame
        log.exception(
            "frame %d of %s cannot be analysed",
            frame.seq,
            frame.stream.id,
            extra=of_frame(frame.stream, frame.seq),
        )
        return analyser.give_up(frame, job.history)
