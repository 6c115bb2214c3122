"""A process of the service: what it is told, and how it notices that it is to stop."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from streamer.errors import AtomstreamError

BAD_INPUT = 2
STUCK = 3
DRAIN_S = 10.0
"""What a process may take to finish what it is doing."""
# A process that has imported everything waits to be copied, so that what dies is
# back in a fraction of the seconds that importing takes.
WARM = (
    "atomstream.__main__",
    "atomstream.service.receiving",
    "inference.card",
    "pyarrow.parquet",
    "scipy.fft",
    "scipy.linalg",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.spatial",
)
"""What takes long to import and may be copied: not ONNX Runtime, which has a thread."""
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
            with suppress(OSError):  # a parent that is gone is told nothing
                self._pipe.send_bytes(b"1")


type Task = Callable[[Lifeline], None]
"""What a process does until the event is set, or until there is no more to do."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process, and the pipe to it: a word there, or its end, says stop."""

    name: str
    process: BaseProcess
    pipe: Connection

    def stop(self) -> None:
        """Tell it to finish what it is doing and to end."""
        with suppress(OSError):  # it has ended
            self.pipe.send_bytes(b"0")

    def has_progressed(self) -> bool:
        """Whether it said, before it died, that it achieved something."""
        try:
            return self.pipe.poll() and bool(self.pipe.recv_bytes(1))
        except (EOFError, OSError):
            return False

    def has_ended(self) -> bool:
        """Whether it is no more, also if nobody is left who could see it end."""
        try:
            while self.pipe.poll():
                self.pipe.recv_bytes(1)
        except (EOFError, OSError):
            return True
        return False


def start(name: str, task: Task) -> Child:
    """Run `task`, which must be picklable, in a process of its own."""
    theirs, ours = multiprocessing.Pipe()
    arguments = name, task, theirs
    process: BaseProcess
    if sys.platform == "linux":
        from multiprocessing import forkserver

        process = multiprocessing.get_context("forkserver").Process(
            target=_run, args=arguments, name=name
        )
        with _ignored_signals():
            forkserver.ensure_running()
        process.start()
    else:
        process = multiprocessing.get_context("spawn").Process(
            target=_run, args=arguments, name=name
        )
        with _ignored_signals():
            process.start()
    theirs.close()
    return Child(name, process, ours)


def warm_up(modules: tuple[str, ...] = ()) -> None:
    """Say what processes will need; before the first is started."""
    if sys.platform == "linux":
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*WARM, *modules])


@contextmanager
def _ignored_signals() -> Iterator[None]:
    """Block in which a process is started that Ctrl-C and SIGTERM do not reach.

    They reach every process of a terminal or a group; only the parent acts on them.
    The child inherits that from its first moment on.
    """
    before = [(each, signal.signal(each, signal.SIG_IGN)) for each in PARENTS_ONLY]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _run(name: str, task: Task, pipe: Connection) -> None:
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
        task(lifeline)
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


def _watch(pipe: Connection, lifeline: Lifeline) -> None:
    """Set the event when the parent says so, or is no more."""
    wait([pipe])
    lifeline.set()
    # A parent that was killed can kill nobody who is stuck.
    time.sleep(DRAIN_S + 1)
    os._exit(STUCK)
