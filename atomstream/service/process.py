"""A process of the service: what it is told, and how it notices that it is to stop."""

import logging
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from streamer.errors import AtomstreamError

BAD_INPUT = 2
SPAWN = multiprocessing.get_context("spawn")
PARENTS_ONLY = [signal.SIGINT]
if sys.platform != "win32":
    PARENTS_ONLY.append(signal.SIGHUP)

type Task = Callable[[threading.Event], None]
"""What a process does until the event is set, or until there is no more to do."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and the pipe whose closing tells it to stop."""

    name: str
    process: BaseProcess
    stop_pipe: Connection

    def stop(self) -> None:
        """Tell it to finish what it is doing and to end."""
        self.stop_pipe.close()


def start(name: str, task: Task) -> Child:
    """Run `task`, which must be picklable, in a process of its own."""
    theirs, ours = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=_run, args=(name, task, theirs), name=name)
    # Ctrl-C reaches every process of the terminal; only the parent acts on it. The
    # child inherits that from its first moment on, as with SIGHUP.
    before = [(each, signal.signal(each, signal.SIG_IGN)) for each in PARENTS_ONLY]
    try:
        process.start()
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    theirs.close()
    return Child(name, process, ours)


def _run(name: str, task: Task, stop_pipe: Connection) -> None:
    # A whole group may be told to stop; the parent lets each finish what it is doing.
    for number in (*PARENTS_ONLY, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {name}: %(message)s",
        datefmt="%H:%M:%S",
    )
    quieten_libraries()
    stopping = threading.Event()
    threading.Thread(
        target=_watch, args=(stop_pipe, stopping), name="stop", daemon=True
    ).start()
    try:
        task(stopping)
    except AtomstreamError as error:
        sys.stderr.write(f"atomstream: {error}\n")
        sys.exit(BAD_INPUT)


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


def _watch(stop_pipe: Connection, stopping: threading.Event) -> None:
    """Set the event when the parent says so, or is no more."""
    wait([stop_pipe])
    stopping.set()
