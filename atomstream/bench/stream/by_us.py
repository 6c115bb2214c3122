"""Sends frames, or receives them with this project or bare. A program of its own."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgpack
import numpy as np
import zmq

from atomstream.bench.stream.told import UNCOUNTED, Job, tell
from streamer.checksum import check
from streamer.endpoint import Address
from streamer.events import Received
from streamer.frame import Frame, Stream
from streamer.header import decode
from streamer.keys import KeyFolder
from streamer.link import QUEUE
from streamer.publisher import Publisher
from streamer.security import PLAIN, Binding, Connecting, CurveClient, CurveServer
from streamer.subscriber import Subscriber

GONE_S = 30.0
"""How long the sender waits for a receiver, and a receiver for the next frame."""

type Context = zmq.Context[zmq.Socket[bytes]]


def main() -> None:
    """Do what the first argument says."""
    job = Job.from_arguments()
    if sys.argv[1] == "send":
        send(job)
    else:
        measure(job)
    # Sockets that others leave open shall keep nobody waiting.
    sys.stdout.flush()
    os._exit(0)


def send(job: Job) -> None:
    """Frames at an even pace, until all are sent; then wait until stdin is closed."""
    stream = Stream(str(uuid4()), "bench", "HAADF")
    noise = np.random.default_rng(0)
    image = noise.random((job.size_px, job.size_px), np.float32)
    image.flags.writeable = False
    with (
        zmq.Context() as context,
        Publisher(context, job.url, security=binding(job)) as publisher,
    ):
        sys.stdout.write("bound\n")
        sys.stdout.flush()
        # The receiver says when it has connected.
        sys.stdin.readline()
        start_s = time.monotonic()
        for seq in range(job.frames):
            due_s = start_s + seq / job.per_second
            time.sleep(max(0.0, due_s - time.monotonic()))
            publisher.send(Frame(stream, seq, image))
        sys.stdin.read()


def binding(job: Job) -> Binding:
    """How the sender is protected."""
    return CurveServer(KeyFolder(Path(job.keys))) if job.keys else PLAIN


def connecting(job: Job) -> Connecting:
    """How a receiver is, with the sender's own keys."""
    return CurveClient(KeyFolder(Path(job.keys)), None) if job.keys else PLAIN


def measure(job: Job) -> None:
    """CPU time and latency of each frame that counts."""
    with zmq.Context() as context:
        arrivals = ours(context, job) if job.receiver == "ours" else bare(context, job)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        latencies_ms: list[float] = []
        start_s = 0.0
        for count, latency_ms in enumerate(arrivals, 1):
            if count == UNCOUNTED:
                start_s = time.process_time()
            elif count > UNCOUNTED:
                latencies_ms.append(latency_ms)
            if count == job.frames:
                break
        tell(time.process_time() - start_s, latencies_ms)


def ours(context: Context, job: Job) -> Iterator[float]:
    """Latency of each frame, ms: received, checked, in order, handed over."""
    security = {job.url: connecting(job)}
    subscriber = Subscriber(context, [job.url], security=security, topics=["frame/"])
    return _ours(subscriber)


def _ours(subscriber: Subscriber) -> Iterator[float]:
    while event := subscriber.receive(GONE_S):
        if isinstance(event, Received) and isinstance(event.message, Frame):
            yield event.latency_s * 1e3


def bare(context: Context, job: Job) -> Iterator[float]:
    """Latency of each frame, ms, of which nothing is done but to make an array.

    "checked" compares the checksum besides, and nothing else.
    """
    socket = context.socket(zmq.SUB)
    socket.rcvhwm = QUEUE
    socket.rcvtimeo = round(GONE_S * 1000)
    connecting(job).protect(socket, Address.parse(job.url))
    socket.subscribe("frame/")
    socket.connect(job.url)
    return _bare(socket, checks=job.receiver == "checked")


def _bare(socket: zmq.Socket[bytes], *, checks: bool) -> Iterator[float]:
    while True:
        _, header, payload = socket.recv_multipart(copy=False)
        fields = msgpack.unpackb(header.buffer)
        np.frombuffer(payload.buffer, fields["dtype"]).reshape(fields["shape"])
        if checks:
            check(payload.buffer, decode(header.buffer))
        yield (time.time_ns() - fields["sent_ns"]) * 1e-6


if __name__ == "__main__":
    main()
