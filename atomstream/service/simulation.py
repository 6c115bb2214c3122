"""The process that stands in for a microscope: a simulated movie as a live stream."""

import logging
import threading
import time
from dataclasses import dataclass
from uuid import uuid4

import zmq

from streamer.frame import Stream
from streamer.publisher import Publisher
from streamer.simulator.movie import CHANNEL, SOURCE, Movie, simulate

log = logging.getLogger("simulate")


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the process needs to know."""

    bind: str
    """Address at which frames are published."""
    frames: int
    interval_s: float
    """From the start of one frame to that of the next."""
    seed: int

    def __call__(self, stopping: threading.Event) -> None:
        """Publish the movie, one frame when its time has come."""
        stream = Stream(str(uuid4()), SOURCE, CHANNEL)
        with zmq.Context() as context, Publisher(context, self.bind) as publisher:
            log.info("%d frames at %s", self.frames, publisher.url)
            start, epoch_ns = time.monotonic(), time.time_ns()
            for exposure in simulate(Movie(frames=self.frames), self.seed):
                due = start + exposure.index * self.interval_s
                if stopping.wait(max(0.0, due - time.monotonic())):
                    return
                publisher.send(exposure.frame(stream, epoch_ns))
            publisher.end(stream)
            stopping.wait()
