"""Sends images as a live stream, to whoever listens at tcp://127.0.0.1:5555."""

import sys
import time

import numpy as np
import zmq

from streamer.frame import Frame, Stream
from streamer.publisher import Publisher

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5555"
PIXEL_SIZE_NM = 8 / 512


def acquire(number: int) -> np.ndarray:
    """The detector's image; here graphene in shot noise."""
    y_nm, x_nm = np.mgrid[:512, :512] * PIXEL_SIZE_NM
    along = [x_nm * np.cos(a) + y_nm * np.sin(a) for a in np.pi * np.arange(3) * 2 / 3]
    waves = np.cos(29.49 * np.array(along)).sum(axis=0)
    return np.random.default_rng(number).poisson(30 - 8 * waves).astype(np.float32)


if __name__ == "__main__":
    stream = Stream.new("my microscope", "HAADF")
    with zmq.Context() as context, Publisher(context, ADDRESS) as publisher:
        for number in range(10):
            image = acquire(number)
            publisher.send(Frame(stream, number, image, pixel_size_nm=PIXEL_SIZE_NM))
            time.sleep(0.5)
        publisher.end(stream)
        publisher.wait_until_delivered(timeout_s=600)
