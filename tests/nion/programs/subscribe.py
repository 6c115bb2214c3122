"""Subscribes to a publisher's frames, until it is killed.

    python subscribe.py URL reads|hangs|dies

`hangs` stands still at its first frame. `dies` is killed by its first frame, and
there is another one at once, of the same process group.
"""

import os
import signal
import sys

import zmq

from streamer.events import Received
from streamer.subscriber import Subscriber

url, kind = sys.argv[1:]
while kind == "dies" and os.fork() > 0:
    os.wait()
with zmq.Context() as context, Subscriber(context, [url]) as subscriber:
    while True:
        event = subscriber.receive(1.0)
        if isinstance(event, Received) and kind != "reads":
            # All its threads stand still, ZeroMQ's too: what comes stays in the pipe.
            os.kill(os.getpid(), signal.SIGSTOP if kind == "hangs" else signal.SIGKILL)
