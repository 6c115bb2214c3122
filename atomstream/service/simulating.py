"""The process that stands in for a microscope: a simulated movie as a live stream."""

import logging
import threading
import time
from uuid import uuid4

import zmq

from atomstream.service.tasks import Simulation
from streamer.frame import Stream
from streamer.publisher import Publisher
from streamer.simulator.movie import CHANNEL, SOURCE, Movie, simulate

log = logging.getLogger("simulate")


def play(task: Simulation, stopping: threading.Event) -> None:
    """Publish the movie, one frame when its time has come."""
    stream = Stream(str(uuid4()), SOURCE, CHANNEL)
    with zmq.Context() as context, Publisher(context, task.bind) as publisher:
        log.info("%d frames at %s", task.frames, publisher.url)
        start, epoch_ns = time.monotonic(), time.time_ns()
        for exposure in simulate(Movie(frames=task.frames), task.seed):
            due = start + exposure.index * task.interval_s
            if stopping.wait(max(0.0, due - time.monotonic())):
                return
            publisher.send(exposure.frame(stream, epoch_ns))
        publisher.end(stream)
        stopping.wait()
