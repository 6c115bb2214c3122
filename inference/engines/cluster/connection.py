"""A Dask scheduler as long as it is there: what is sent to it, and what comes back.

Certificates, timeouts and everything else about the connection are Dask's own settings.
"""

import logging
from concurrent.futures import CancelledError
from contextlib import suppress
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker
from distributed.comm.core import CommClosedError

from inference.engines.cluster.worker import (
    NAME,
    OpenModels,
    Order,
    Packed,
    Trial,
    analyse_on_worker,
    as_it_is,
    open_on_worker,
)
from inference.model_files import ModelFiles
from streamer.errors import EngineError, LinkError

FIRST_WAIT_S = 10.0
"""For a scheduler that has never answered: then there is nothing to wait for."""
CLOSING_S = 2.0
AHEAD = 10
"""Of the frames that are waiting there."""
LARGEST_GRAPH = "2 GiB"
"""No frame that travels is worth a warning."""

type Sent = Future[Packed]

GONE = (CancelledError, CommClosedError, OSError, RuntimeError)
"""Dask says in many ways that the scheduler is no more (TimeoutError is OSError)."""


class SchedulerGone(Exception):  # noqa: N818 # an answer to be acted upon, no defect
    """The scheduler does not answer; what was sent to it must be sent again."""


class WorkersKilled(Exception):  # noqa: N818 # as above
    """Workers died while they had the frame, which may have been waiting there only."""


class ModelLost(Exception):  # noqa: N818 # as above
    """Workers died while they had the model's files; they are sent again."""


class Connection:
    """A client of one scheduler; of no use any more when that has gone.

    Parameters
    ----------
    url
        "tcp://HOST:PORT" or "tls://HOST:PORT".
    wait_s
        How long to wait for it to answer.

    Raises
    ------
    LinkError
        It does not.
    EngineError
        It does, and its workers cannot do the work: they lack this package.
    """

    def __init__(self, url: str, wait_s: float) -> None:
        self.url = url
        _quieten()
        self._client = _client(url, wait_s)
        self._models: dict[str, Future[ModelFiles]] = {}
        try:
            with suppress_large_graphs():
                self._client.register_plugin(OpenModels(), name=NAME)
        except GONE as error:
            self.close()
            raise LinkError(f"{url}: {error!s:.200}") from error
        except Exception as error:  # what a worker cannot import comes as any error
            self.close()
            raise EngineError(
                f"the workers of {url} cannot analyse: {_line(error)}; install the "
                "same atomstream, with its extra called cluster, on each of them"
            ) from error

    def threads(self) -> int | None:
        """Tasks that the workers do at once, 0 without any; None if not told in time.

        Raises
        ------
        SchedulerGone
            It does not answer.
        """
        self._check()
        try:
            return sum(map(int, self._client.nthreads().values()))
        except GONE:
            # A busy scheduler is slow to answer; one that is gone ends the connection.
            self._check()
            return None

    def send(self, order: Order, files: ModelFiles) -> Sent:
        """Have an order carried out.

        Raises
        ------
        SchedulerGone
            It does not answer.
        """
        self._check()
        try:
            with suppress_large_graphs():
                model = self._model(files)
                # Not pure: the same frame asked for again must really be done again.
                return self._client.submit(
                    analyse_on_worker, order, model, pure=False, fifo_timeout="0 ms"
                )
        except GONE as error:
            raise SchedulerGone from error

    def attempt(self, trial: Trial, files: ModelFiles, timeout_s: float) -> None:
        """Have one worker open a model.

        Raises
        ------
        SchedulerGone
            It does not answer.
        EngineError
            The worker cannot, or none has done it in time.
        """
        self._check()
        try:
            with suppress_large_graphs():
                # The files travel with the task: this model is not in use yet.
                tried = self._client.submit(
                    open_on_worker, trial, files, pure=False, priority=AHEAD
                )
            tried.result(timeout=timeout_s)
        except CancelledError as error:
            raise SchedulerGone from error
        except TimeoutError as error:
            self._check()
            raise EngineError(
                f"no worker of {self.url} has opened the model within "
                f"{timeout_s:.0f} s; try again when one is free"
            ) from error
        except CommClosedError as error:
            raise SchedulerGone from error
        except Exception as error:
            raise EngineError(f"a worker of {self.url}: {_line(error)}") from error

    def answer(self, sent: Sent, timeout_s: float) -> Packed | None:
        """What came of an order; None if nothing did in time.

        Raises
        ------
        SchedulerGone
            It does not answer, or has forgotten the order.
        WorkersKilled, ModelLost
            As many workers as Dask allows died while they had it.
        EngineError
            The worker cannot do it, and says why.
        """
        self._check()
        try:
            parts: Packed = sent.result(timeout=timeout_s)
        except KilledWorker as error:
            # Dask suspects all that a dead worker had, and names the one it means.
            raise (WorkersKilled if error.task == sent.key else ModelLost) from error
        except CancelledError as error:
            raise SchedulerGone from error
        except Exception as error:
            if sent.status == "error":
                raise EngineError(f"a worker of {self.url}: {_line(error)}") from error
            self._check()
            return None  # too early, or a scheduler that is busy, as above
        return parts

    def close(self) -> None:
        """Leave; whatever was sent is forgotten there."""
        with suppress(Exception):  # there may be nobody left to say good-bye to
            self._client.close(timeout=CLOSING_S)

    def _check(self) -> None:
        if self._client.status != "running":
            raise SchedulerGone

    def _model(self, files: ModelFiles) -> Future[ModelFiles]:
        """The model's files at the cluster, where they stay while they are of use."""
        known = self._models.get(files.sha256)
        if known is None or known.status in ("error", "cancelled", "lost"):
            # Those in flight hold on to theirs; no other task has this key.
            key = f"model-{files.sha256}-{uuid4().hex}"
            future = self._client.submit(as_it_is, files, key=key)
            self._models = {files.sha256: future}
        return self._models[files.sha256]


def reach(url: str) -> None:
    """Wait until a scheduler answers whose workers, if there are some, can analyse.

    Raises
    ------
    LinkError, EngineError
        As for `Connection`.
    """
    Connection(url, FIRST_WAIT_S).close()


def suppress_large_graphs() -> dask.config.set:
    """Block in which Dask does not mind that a frame is large."""
    return dask.config.set(
        {"distributed.admin.large-graph-warning-threshold": LARGEST_GRAPH}
    )


def _client(url: str, wait_s: float) -> Client:
    try:
        return Client(url, timeout=wait_s, set_as_default=False, name=NAME)
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        raise LinkError(
            f"--scheduler {url} cannot be used: no Dask scheduler answers within "
            f"{wait_s:.0f} s ({_line(error)})"
        ) from error


def _line(error: BaseException) -> str:
    """The first line of an error, and its kind where that says more."""
    lines = str(error).strip().splitlines()
    return f"{lines[0]:.200}" if lines else type(error).__name__


def _quieten() -> None:
    """Keep Dask from telling at length what is said here in one line."""
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
