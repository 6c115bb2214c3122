"""A process of the service: what it is told, and how it notices that it is to stop."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from streamer.errors import AtomstreamError

BAD_INPUT = 2
STUCK = 3
DRAIN_S = 10.0
"""What a process may take to finish what it is doing."""
STOP, WORKS, DONE, REFUSED = b"stop", b"works", b"done", b"refused"
"""What goes through the pipe: from the parent, and to it."""
PARENTS_ONLY = [signal.SIGINT, signal.SIGTERM]
if sys.platform != "win32":
    PARENTS_ONLY.append(signal.SIGHUP)


class Lifeline(threading.Event):
    """Set when the process is to stop; the way to tell the parent that it works."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe
        self._has_told = False

    def tell_progress(self) -> None:
        """Say, once in a life, that something was achieved."""
        if not self._has_told:
            self._has_told = True
            self.tell(WORKS)

    def tell(self, word: bytes) -> None:
        """Say something to the parent; one that is gone is told nothing."""
        with suppress(OSError):
            self._pipe.send_bytes(word)


type Task = Callable[[Lifeline], None]
"""What a process does until the event is set, or until there is no more to do."""


def run(name: str, task: Task, pipe: Connection) -> None:
    """What a process does from its first moment to its last."""
    # A whole group may be told to stop; the parent lets each finish what it is doing.
    for number in PARENTS_ONLY:
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {name}: %(message)s",
        datefmt="%H:%M:%S",
    )
    quieten_libraries()
    lifeline = Lifeline(pipe)
    threading.Thread(
        target=_watch, args=(pipe, lifeline), name="stop", daemon=True
    ).start()
    try:
        if not pipe.poll():  # else it was told to stop before it began
            task(lifeline)
    except AtomstreamError as error:
        sys.stderr.write(f"atomstream: {error}\n")
        lifeline.tell(REFUSED)
        sys.exit(BAD_INPUT)
    # The exit code says it too, as long as somebody is there to pass it on.
    lifeline.tell(DONE)


def quieten_libraries() -> None:
    """Keep libraries from adding lines of their own to what we say in one."""
    for name, level in {
        "tifffile": logging.CRITICAL,  # what is wrong with a file, which we say too
        "bokeh": logging.WARNING,  # a line for each page that is opened
        "tornado.access": logging.WARNING,  # a line for each request
        "onnx_ir": logging.WARNING,  # what it folds and removes when a model is saved
        "onnxscript": logging.WARNING,  # likewise
        # Packages that it could do without; torch resets "torch.onnx" when imported.
        "torch.onnx._internal": logging.ERROR,
    }.items():
        logging.getLogger(name).setLevel(level)


def _watch(pipe: Connection, lifeline: Lifeline) -> None:
    """Set the event when the parent says so, or is no more."""
    wait([pipe])
    lifeline.set()
    # A parent that was killed can kill nobody who is stuck.
    time.sleep(DRAIN_S + 1)
    os._exit(STUCK)
