"""What does the analysing: takes frames, gives analyses in the same order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from inference.analyse import Analyser, History
from inference.device import Device
from inference.model import open_model
from inference.model_files import ModelFiles
from streamer.analysis import Analysis, ModelId
from streamer.frame import Frame

WAIT_S = 0.2


@dataclass(frozen=True, slots=True)
class Setup:
    """How a model is to work, the same wherever it does."""

    threads: int
    """That analyse a frame."""
    device: Device = Device.CPU
    pixel_size_nm: float | None = None
    """Instead of the frames' own calibration; None to trust that."""
    estimate_pixel_size: bool = False
    """Whether each frame's own lattice is asked first."""
    refine: bool = True
    """Whether positions are measured by a fit to the frame, or left as the network
    has them."""

    def analyser(self, files: ModelFiles) -> Analyser:
        """The model at work.

        Raises
        ------
        ModelError, SettingsError
            As for `open_model`.
        """
        model = open_model(files, self.threads, self.device)
        return Analyser(
            model, self.pixel_size_nm, self.estimate_pixel_size, self.refine
        )


@dataclass(frozen=True, slots=True)
class Job:
    """One frame that is to be analysed."""

    frame: Frame
    history: History


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A model that an engine can use: it was tried."""

    files: ModelFiles
    analyser: Analyser
    """In this process."""


class Engine(Protocol):
    """Analyses frames, some at a time, and gives them back in order.

    What is submitted and not yet collected is lost with the engine: whoever submits
    can do so again, and finds out what is committed already.
    """

    @property
    def model(self) -> ModelId:
        """What the next frame will be analysed with."""

    @property
    def provider(self) -> str:
        """ONNX Runtime execution provider that this process has for the model."""

    @property
    def in_flight(self) -> int:
        """Frames that were submitted and not collected."""

    @property
    def room(self) -> int:
        """Frames that may be submitted now."""

    def prepared(self, files: ModelFiles) -> Ready:
        """Another model, tried and ready; nothing changes until it is used.

        Raises
        ------
        ModelError, SettingsError, EngineError
            It cannot be used, or that cannot be found out now.
        """

    def use(self, ready: Ready) -> None:
        """Take another model from the next frame on; those in flight keep theirs."""

    def submit(self, job: Job) -> None:
        """Take a frame; only when there is room."""

    def collect(self, timeout_s: float) -> Analysis | None:
        """The analysis of the frame submitted first, or None if it is not done in time.

        A frame that cannot be analysed has an analysis that says so.

        Raises
        ------
        EngineError
            Those that should do the work cannot.
        """

    def close(self) -> None:
        """Forget what is in flight."""


def analysed(engine: Engine, jobs: Iterable[Job]) -> Iterator[Analysis]:
    """Analyses of all jobs, in order; takes only as many as the engine has room for.

    Raises
    ------
    EngineError
        As for `Engine.collect`.
    """
    for job in jobs:
        while engine.room <= 0:
            yield from _done(engine)
        engine.submit(job)
    while engine.in_flight:
        yield from _done(engine)


def _done(engine: Engine) -> Iterator[Analysis]:
    analysis = engine.collect(WAIT_S)
    if analysis is not None:
        yield analysis
