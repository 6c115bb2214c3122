"""What runs on a worker of the cluster.

Frames and analyses travel as messages of the stream protocol, so that what arrives is
checked as anything from the network is, and no more of it is pickled than bytes.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from distributed import Worker, WorkerPlugin, get_worker

from inference.analyse import Analyser, History
from inference.engines.engine import Job, Setup
from inference.engines.local import attempt
from inference.model_files import ModelFiles
from streamer.errors import ModelError, WireError
from streamer.frame import Frame
from streamer.messages import Carried
from streamer.wire import pack, unpack

NAME = "atomstream"
"""Of the plugin."""
MOST_OPEN = 2
"""Models that a worker keeps open: while one takes over, two are at work."""

type Packed = tuple[bytes, bytes, bytes]
"""Topic, header and payload of a message."""


@dataclass(frozen=True, slots=True)
class Order:
    """One frame as it is sent to a worker, and what to do with it."""

    frame: Packed
    history: History
    model_sha256: str
    """Of the only model that may answer."""
    setup: Setup


@dataclass(frozen=True, slots=True)
class Trial:
    """A model that a worker is to open, and no frame."""

    model_sha256: str
    setup: Setup


class OpenModels(WorkerPlugin):
    """The models that a worker has open, by their hash; new with every worker.

    One frame at a time: the limits that keep results the same bit for bit count for
    the whole process.
    """

    name = NAME
    idempotent = True

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 # Dask calls it like this
        """Start with none."""
        self._open: OrderedDict[tuple[str, Setup], Analyser] = OrderedDict()
        self._lock = threading.Lock()

    def analyse(self, order: Order, files: ModelFiles) -> Packed:
        """The analysis of the order's frame, packed.

        Raises
        ------
        ModelError, SettingsError
            The files are not those of the order's model, or cannot be used here.
        WireError
            What came is no frame.
        """
        with self._lock:
            analyser = self._analyser(order, files)
            analysis = attempt(analyser, Job(unpack_frame(order.frame), order.history))
        return packed(analysis)

    def open(self, trial: Trial, files: ModelFiles) -> None:
        """Open a model, so that it is known to work here.

        Raises
        ------
        ModelError, SettingsError
            As for `analyse`.
        """
        with self._lock:
            self._analyser(trial, files)

    def _analyser(self, order: Order | Trial, files: ModelFiles) -> Analyser:
        key = order.model_sha256, order.setup
        if key not in self._open:
            self._open[key] = opened(order, files)
        self._open.move_to_end(key)
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return self._open[key]


def opened(order: Order | Trial, files: ModelFiles) -> Analyser:
    """The model that the order names, from files that must be that model's.

    Raises
    ------
    ModelError, SettingsError
        They are another's, damaged, or cannot be used here.
    """
    if files.sha256 != order.model_sha256:
        raise ModelError(
            f"model {order.model_sha256[:12]}… was asked for, the files that came "
            f"are of {files.sha256[:12]}…"
        )
    return order.setup.analyser(files)


def analyse_on_worker(order: Order, files: ModelFiles) -> Packed:
    """Have a frame analysed by the worker that this is called on."""
    models: OpenModels = get_worker().plugins[NAME]
    return models.analyse(order, files)


def open_on_worker(trial: Trial, files: ModelFiles) -> None:
    """Have a model opened by the worker that this is called on."""
    models: OpenModels = get_worker().plugins[NAME]
    models.open(trial, files)


def as_it_is(files: ModelFiles) -> ModelFiles:
    """The files: as the result of a task, they can be had again if a worker dies."""
    return files


def packed(message: Carried) -> Packed:
    """A frame or an analysis as bytes."""
    topic, header, payload = pack(message, sent_ns=0)
    return topic, header, payload.tobytes()


def unpack_frame(parts: Packed) -> Frame:
    """The frame in a message.

    Raises
    ------
    WireError
        It is damaged, or holds something else.
    """
    message = unpack(parts).message
    if not isinstance(message, Frame):
        raise WireError(f"a {type(message).__name__.lower()}, expected a frame")
    return message
