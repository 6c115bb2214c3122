"""A process of the service: what it is told, and how it notices that it is to stop."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait

from atomstream.logs import LogSettings, log_death, say_fatal, start_logging
from atomstream.service.restarts import Restarts
from streamer.errors import AtomstreamError

DIED = 1
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

    def __init__(self, pipe: Connection, restarts: Restarts) -> None:
        super().__init__()
        self.restarts = restarts
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


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all processes of a service have in common."""

    logs: LogSettings = field(default_factory=LogSettings)
    restarts: Restarts = field(default_factory=Restarts)


def run(name: str, task: Task, pipe: Connection, around: Circumstances) -> None:
    """What a process does from its first moment to its last."""
    # A whole group may be told to stop; the parent lets each finish what it is doing.
    for number in PARENTS_ONLY:
        signal.signal(number, signal.SIG_IGN)
    start_logging(around.logs, name, shown=name)
    lifeline = Lifeline(pipe, around.restarts)
    threading.Thread(
        target=_watch, args=(pipe, lifeline), name="stop", daemon=True
    ).start()
    try:
        if not pipe.poll():  # else it was told to stop before it began
            task(lifeline)
    except AtomstreamError as error:
        say_fatal(error)
        lifeline.tell(REFUSED)
        sys.exit(BAD_INPUT)
    except Exception as error:  # noqa: BLE001 # nobody above would write it as a line
        log_death(error)
        sys.exit(DIED)
    finally:
        logging.shutdown()  # Python does so itself in the first process alone
    # The exit code says it too, as long as somebody is there to pass it on.
    lifeline.tell(DONE)


def _watch(pipe: Connection, lifeline: Lifeline) -> None:
    """Set the event when the parent says so, or is no more."""
    wait([pipe])
    lifeline.set()
    # A parent that was killed can kill nobody who is stuck.
    time.sleep(DRAIN_S + 1)
    os._exit(STUCK)
