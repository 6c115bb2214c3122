"""The process that serves metrics: it subscribes to analyses like any viewer."""

import logging
import time
from collections.abc import Callable

import zmq
from prometheus_client import disable_created_metrics

from atomstream.metrics.events import ServiceMetrics
from atomstream.metrics.server import Health, MetricsServer, application
from atomstream.service.precedence import let_others_first
from atomstream.service.process import Lifeline
from atomstream.service.tasks import Exporter
from streamer.events import Event, Hindered, Rejected
from streamer.messages import Content
from streamer.start import Start
from streamer.subscriber import Subscriber

log = logging.getLogger("metrics")

POLL_S = 0.2
"""How long it may take until it notices that it shall stop."""
ALIVE_S = 10.0
"""Without a turn of its loop for so long, it counts as stuck."""


def export(task: Exporter, lifeline: Lifeline) -> None:
    """Serve metrics until told to stop."""
    let_others_first()
    # A second series for each, of when it began: nobody asks.
    disable_created_metrics()  # type: ignore[no-untyped-call] # the library's
    metrics = ServiceMetrics(time.monotonic, time.time())
    pulse = Pulse(time.monotonic)
    health = Health(pulse.is_alive, lambda: metrics.standing.is_heard)
    pages = application(metrics.registry, health)
    with (
        zmq.Context() as context,
        Subscriber(
            context,
            [task.analyses],
            security={task.analyses: task.security},
            start=Start.newest(),  # those before were counted by the process before
            topics=(f"{Content.ANALYSIS}/",),
        ) as subscriber,
        MetricsServer(pages, task.address, task.port) as server,
    ):
        log.info("metrics at %s", server.url)
        lifeline.tell_progress()
        while not lifeline.is_set():
            event = subscriber.receive(POLL_S)
            pulse.beat()
            if event is not None:
                say(event)
                metrics.take(event)


def say(event: Event) -> None:
    """Put into the log what no metric tells."""
    match event:
        case Hindered(url, reason):
            log.warning("no new connection to %s: %s", url, reason)
        case Rejected(url, reason):
            log.warning("a message from %s was thrown away: %s", url, reason)
        case _:
            pass


class Pulse:
    """Tells whether a loop still turns.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._beat_s = clock()

    def beat(self) -> None:
        """It has turned."""
        self._beat_s = self._clock()

    def is_alive(self) -> bool:
        """Whether it has turned lately."""
        return self._clock() - self._beat_s < ALIVE_S
