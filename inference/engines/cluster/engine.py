"""The engine whose work is done by the workers of a Dask cluster.

At least once: a frame whose worker or scheduler is gone is sent again, and what comes
back is told apart by stream and number when it is committed.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from inference.device import Device
from inference.engines.cluster.answer import answer_to
from inference.engines.cluster.connection import (
    Connection,
    ModelLost,
    SchedulerGone,
    Sent,
    WorkersKilled,
)
from inference.engines.cluster.worker import Order, Packed, Trial, packed
from inference.engines.engine import Job, Ready, Setup
from inference.model_files import ModelFiles
from streamer.analysis import Analysis, ModelId
from streamer.errors import EngineError, LinkError, WireError

RECONNECT_S = 2.0
COUNT_S = 2.0
"""Between two counts of the workers."""
FEWEST, MOST = 2, 64
"""Frames in flight: one a thread at work and one waiting beside it, in these bounds,
as long as they take no more memory than this:"""
MOST_BYTES = 10**9
TRIAL_S = 30.0
"""For a worker to open a model; meanwhile no frame is collected."""
TRIES = 3


@dataclass(slots=True, eq=False)
class Errand:
    """One frame in flight."""

    job: Job
    order: Order
    ready: Ready
    """Its model, to send there, and here to answer for a frame nobody can analyse."""
    submitted_s: float
    sent: Sent | None = None
    failures: int = 0
    alone: bool = False
    """Whether workers died while they had it, so that nothing else is to be there."""

    @property
    def bytes(self) -> int:
        """Memory that the frame takes here: itself, and packed."""
        return self.job.frame.image.nbytes + len(self.order.frame[-1])


@dataclass
class DaskEngine:
    """Sends frames to a cluster and gives their analyses in order.

    Parameters
    ----------
    url
        Of the scheduler.
    tell
        Called with a line about the cluster that a person should see.

    Raises
    ------
    ModelError
        From the constructor: the model cannot be used.
    EngineError
        From any method: the scheduler answers, but its workers cannot analyse. While
        it does not answer, frames wait.
    """

    url: str
    files: ModelFiles
    setup: Setup
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _ready: Ready = field(init=False)
    _connection: Connection | None = field(default=None, init=False)
    _errands: deque[Errand] = field(default_factory=deque, init=False)
    _threads: int = field(default=-1, init=False)
    _counted_s: float = field(default=-math.inf, init=False)
    _away_since_s: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.use(self._loaded(self.files))
        self._connected()
        if self._connection is None:
            self._say_away()

    @property
    def model(self) -> ModelId:
        """What the next frame will be analysed with."""
        return self._ready.analyser.model.id

    @property
    def provider(self) -> str:
        """What this process checks models with; each worker has its own."""
        return self._ready.analyser.model.provider

    @property
    def in_flight(self) -> int:
        """Frames that were submitted and not collected."""
        return len(self._errands)

    @property
    def room(self) -> int:
        """Frames that may be submitted now: two a thread of the cluster in all.

        Fewer of large ones, supposed that the next is as large as any in flight.
        """
        sizes = [errand.bytes for errand in self._errands]
        fitting = max(FEWEST, MOST_BYTES // max([*sizes, 1]))
        most = min(max(2 * self._threads, FEWEST), MOST, fitting)
        return most - self.in_flight

    def prepared(self, files: ModelFiles) -> Ready:
        """Another model, loaded here and by one of the workers.

        Raises
        ------
        ModelError
            It cannot be used.
        EngineError
            No worker says that it can use it.
        """
        ready = self._loaded(files)
        connection = self._connected()
        if connection is not None:
            try:
                connection.attempt(Trial(files.sha256, self.setup), files, TRIAL_S)
            except SchedulerGone:
                self._lose()
            else:
                return ready
        raise EngineError(
            f"the scheduler at {self.url} does not answer, so that no worker can try "
            "the model; ask again when it is back"
        )

    def use(self, ready: Ready) -> None:
        """Take another model from the next frame on; those in flight keep theirs."""
        self._ready = ready

    def _loaded(self, files: ModelFiles) -> Ready:
        # On the CPU: what this process has is no word about the workers.
        setup = replace(self.setup, threads=1, device=Device.CPU)
        return Ready(files, setup.analyser(files))

    def submit(self, job: Job) -> None:
        """Take a frame; only when there is room."""
        frame = packed(job.frame)
        order = Order(frame, job.history, self._ready.files.sha256, self.setup)
        errand = Errand(job, order, self._ready, self.clock())
        self._errands.append(errand)
        if self._connection is not None:
            self._send_all(self._connection)

    def collect(self, timeout_s: float) -> Analysis | None:
        """The analysis of the frame submitted first, or None if it is not done in time.

        Raises
        ------
        EngineError
            The workers have failed at it `TRIES` times; it stays in flight.
        """
        connection = self._connected()
        if connection is None or not self._errands:
            return None
        self._count(connection)
        self._send_all(connection)
        errand = self._errands[0]
        analysis = self._answer(errand, connection, timeout_s)
        if analysis is None:
            return None
        self._errands.popleft()
        return analysis

    def close(self) -> None:
        """Forget what is in flight, here and there."""
        self._errands.clear()
        if self._connection is not None:
            self._connection.close()

    def _answer(
        self, errand: Errand, connection: Connection, timeout_s: float
    ) -> Analysis | None:
        if errand.sent is None:
            return None
        try:
            parts = connection.answer(errand.sent, timeout_s)
            return None if parts is None else self._checked(errand, parts)
        except SchedulerGone:
            self._lose()
        except WorkersKilled:
            if errand.alone:
                return self._given_up(errand)
            self._leave_alone(errand)
        except ModelLost:
            self._ask_again(errand, EngineError("workers died that had the model"))
        except (EngineError, WireError) as error:
            self._ask_again(errand, error)
        return None

    def _checked(self, errand: Errand, parts: Packed) -> Analysis:
        analysis = answer_to(errand.order, errand.job, parts)
        waited_s = self.clock() - errand.submitted_s
        return replace(analysis, latency_s=errand.job.history.waited_s + waited_s)

    def _leave_alone(self, suspect: Errand) -> None:
        """Take everything back, so that the first frame can be tried by itself."""
        suspect.alone = True
        for errand in self._errands:
            errand.sent = None

    def _given_up(self, errand: Errand) -> Analysis:
        frame = errand.job.frame
        self.tell(
            f"frame {frame.seq} of {frame.stream.id} is not analysed: workers of "
            f"{self.url} died of it, one after the other"
        )
        return errand.ready.analyser.give_up(frame, errand.job.history)

    def _ask_again(self, errand: Errand, error: EngineError | WireError) -> None:
        errand.failures += 1
        errand.sent = None
        if errand.failures == TRIES:
            errand.failures = 0
            raise EngineError(str(error)) from error
        self.tell(f"frame {errand.job.frame.seq} is asked for again: {error}")

    def _send_all(self, connection: Connection) -> None:
        """Send what is not sent; with a first frame that is to be alone, only that."""
        alone = self._errands[0].alone
        for errand in list(self._errands)[: 1 if alone else None]:
            if errand.sent is None and connection is self._connection:
                self._send(errand, connection)

    def _send(self, errand: Errand, connection: Connection) -> None:
        try:
            errand.sent = connection.send(errand.order, errand.ready.files)
        except SchedulerGone:
            self._lose()

    def _connected(self) -> Connection | None:
        """The connection, a new one after the scheduler was away; None while it is."""
        if self._connection is not None:
            return self._connection
        try:
            connection = Connection(self.url, RECONNECT_S)
        except LinkError:
            return None
        self._connection = connection
        if self._away_since_s is not None:
            away_s = self.clock() - self._away_since_s
            self.tell(f"the scheduler at {self.url} is back after {away_s:.0f} s")
            self._away_since_s = None
        self._counted_s, self._threads = -math.inf, -1
        self._count(connection)
        return self._connection

    def _lose(self) -> None:
        """Let go of a scheduler that does not answer, and take back what was sent."""
        if self._connection is None:
            return
        self._connection.close()
        self._connection = None
        for errand in self._errands:
            errand.sent = None
        self._say_away()

    def _say_away(self) -> None:
        self._away_since_s = self.clock()
        self.tell(
            f"the scheduler at {self.url} does not answer: frames wait on the disk "
            f"until it is back ({self.in_flight} of them were under way)"
        )

    def _count(self, connection: Connection) -> None:
        """Look how many threads the cluster has, if that was a while ago."""
        now = self.clock()
        if now - self._counted_s < COUNT_S:
            return
        self._counted_s = now
        try:
            threads = connection.threads()
        except SchedulerGone:
            self._lose()
            return
        if threads is not None and threads != self._threads:
            what = f"room for {threads} frames at once" if threads else "no worker yet"
            self.tell(f"the cluster at {self.url} has {what}")
            self._threads = threads
